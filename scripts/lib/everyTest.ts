// Owns `npm test`: set everything up, then every check and every test in a fixed order, then one closing line with
// the counts. What each check does is defined by the scripts of package.json and by vitest.config.ts.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureBrowser } from './browser.ts';
import { run } from './children.ts';
import { ensureEditor } from './editor.ts';
import { root } from './places.ts';
import { say, spoken } from './say.ts';
import {
  addCounts,
  countsLine,
  countTests,
  failedFiles,
  failureLines,
  noTests,
  type TestCounts,
  type TestReport,
  withSecondTry,
} from './testCounts.ts';

/** What one step came to: a problem in one sentence, or undefined, the tests it ran, and what else is worth a line. */
type Outcome = {
  readonly problem?: string;
  readonly counts: TestCounts;
  readonly notes?: readonly string[];
};

/** Runs the command and resolves to its exit code, 0 only when every step succeeded. */
export function runEverything(): Promise<number> {
  return spoken(async () => {
    const browser = await ensureBrowser();
    await ensureEditor();
    const reports = mkdtempSync(path.join(tmpdir(), 'ratchet-reports-'));
    try {
      return await runSteps(browser, reports);
    } finally {
      rmSync(reports, { recursive: true, force: true });
    }
  });
}

async function runSteps(browser: string, reports: string): Promise<number> {
  const at = (name: string): string => path.join(reports, name);
  const steps: readonly (readonly [string, () => Promise<Outcome>])[] = [
    ['typecheck', () => check('typecheck')],
    ['lint', () => check('lint')],
    ['format', () => check('format:check')],
    ['build', () => check('build')],
    ['unit and loop tests', () => tests(['unit', 'loop'], at('unit.json'))],
    ['store proofs', () => tests(['store'], at('store.json'))],
    ['editor tests', () => editorTests(browser, at('editor.json'), at('editor-again.json'))],
  ];
  const lines: string[] = [];
  let counts = noTests;
  for (const [name, step] of steps) {
    say(`\n== ${name} ==`);
    const began = performance.now();
    const outcome = await step();
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    counts = addCounts(counts, outcome.counts);
    lines.push(
      `${outcome.problem === undefined ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)${told(outcome.problem)}`,
      ...(outcome.notes ?? []).map((note) => `     ${note}`),
    );
  }
  const failed = lines.some((line) => line.startsWith('FAIL'));
  process.stdout.write(`\n${lines.join('\n')}\n${countsLine(counts)}\n`);
  return failed ? 1 : 0;
}

function told(problem: string | undefined): string {
  return problem === undefined ? '' : `: ${problem}`;
}

async function check(script: string): Promise<Outcome> {
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('npm-cli.js') === true ? [process.execPath, [npm]] : ['npm', []];
  const code = await run(command, [...first, 'run', '--silent', script], { cwd: root });
  if (code === 0) return { counts: noTests };
  return { problem: `npm run ${script} ended with code ${String(code)}`, counts: noTests };
}

async function tests(projects: readonly string[], report: string): Promise<Outcome> {
  const ran = await vitest(projects, [], report, {});
  return outcomeOf(ran, []);
}

/**
 * A file of editor tests that failed is taken once more: a real browser now and then misses a click. Which ones needed it
 * is said, and what fails twice has failed.
 */
async function editorTests(browser: string, first: string, second: string): Promise<Outcome> {
  const environment = { RATCHET_BROWSER: browser };
  const ran = await vitest(['editor'], [], first, environment);
  const again = failedFiles(ran.report);
  if (again.length === 0) return outcomeOf(ran, []);
  const notes = failureLines(ran.report, root).map((line) => `first try: ${line}`);
  say(`\n== editor tests, second try of ${String(again.length)} ==`);
  const repeated = await vitest(['editor'], again, second, environment);
  return outcomeOf({ code: repeated.code, report: withSecondTry(ran.report, repeated.report) }, notes);
}

function outcomeOf({ code, report }: Ran, notes: readonly string[]): Outcome {
  const counts = countTests(report);
  if (code === 0 && counts.failed === 0) return { counts, notes };
  const problem =
    counts.failed > 0
      ? `${String(counts.failed)} failed`
      : `vitest ended with code ${String(code)} though no test failed`;
  return { problem, counts, notes: [...notes, ...failureLines(report, root)] };
}

type Ran = { readonly code: number; readonly report: TestReport };

async function vitest(
  projects: readonly string[],
  files: readonly string[],
  report: string,
  extra: Readonly<Record<string, string>>,
): Promise<Ran> {
  const program = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const chosen = [...projects.flatMap((project) => ['--project', project]), ...files];
  const env = { ...process.env, ...extra };
  const code = await run(process.execPath, [program, 'run', ...chosen, ...reporters], { cwd: root, env });
  if (!existsSync(report)) return { code: code === 0 ? 1 : code, report: { testResults: [] } };
  return { code, report: JSON.parse(readFileSync(report, 'utf8')) as TestReport };
}
