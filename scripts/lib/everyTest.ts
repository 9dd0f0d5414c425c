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
  noTests,
  type TestCounts,
  type TestReport,
} from './testCounts.ts';

/** What one step came to: a problem in one sentence, or undefined, and the tests it ran. */
type Outcome = { readonly problem?: string; readonly counts: TestCounts };

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
  const steps: readonly (readonly [string, () => Promise<Outcome>])[] = [
    ['typecheck', () => check('typecheck')],
    ['lint', () => check('lint')],
    ['format', () => check('format:check')],
    ['build', () => check('build')],
    ['unit and loop tests', () => tests(['unit', 'loop'], path.join(reports, 'unit.json'), {})],
    ['store proofs', () => tests(['store'], path.join(reports, 'store.json'), {})],
    [
      'editor tests',
      () => tests(['editor'], path.join(reports, 'editor.json'), { RATCHET_BROWSER: browser }),
    ],
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

async function tests(
  projects: readonly string[],
  report: string,
  extra: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const chosen = projects.flatMap((project) => ['--project', project]);
  const env = { ...process.env, ...extra };
  const code = await run(process.execPath, [vitest, 'run', ...chosen, ...reporters], { cwd: root, env });
  const counts = existsSync(report)
    ? countTests(JSON.parse(readFileSync(report, 'utf8')) as TestReport)
    : noTests;
  if (code === 0 && counts.failed === 0) return { counts };
  const problem =
    counts.failed > 0
      ? `${String(counts.failed)} failed`
      : `vitest ended with code ${String(code)} though no test failed`;
  return { problem, counts };
}
