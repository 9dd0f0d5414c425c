/**
 * Owns the long forms of the store's proofs: crash states, damaged stores, kills; batches named by their seed, several at
 * once. Goes on where it was stopped, while dist/ stays the same: what is done is kept in out/. Exits with 1 on a problem.
 * Usage: node test/soak/run.ts [--crash N] [--damage N] [--kills N] [--only PART] [--lanes N] [--report]
 * --report only writes test/bench/results/soak.json of what is done so far.
 */
import { execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeResult } from '../bench/results.ts';
import { KEY_LENGTH, type Tally } from './batches.ts';

const { values } = parseArgs({
  options: {
    crash: { type: 'string', default: '100000' },
    damage: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '500' },
    only: { type: 'string' },
    lanes: { type: 'string', default: '2' },
    report: { type: 'boolean', default: false },
  },
});

interface Part {
  readonly goal: number;
  /** The figure that is to reach it. */
  readonly counted: string;
  /** The bundles it proves something of. */
  readonly bundles: RegExp;
}

const ALL_BUNDLES = /\.mjs$/;
const STORE_BUNDLE = /^storeWorker\.mjs$/;
const PARTS: Readonly<Record<string, Part>> = {
  'crash states': { goal: Number(values.crash), counted: 'states', bundles: STORE_BUNDLE },
  'damaged stores': { goal: Number(values.damage), counted: 'stores', bundles: STORE_BUNDLE },
  'kills on Pocket': { goal: Number(values.kills) / 2, counted: 'kills', bundles: ALL_BUNDLES },
  'kills on an endpoint': { goal: Number(values.kills) / 2, counted: 'kills', bundles: ALL_BUNDLES },
};

interface Done {
  /** The commit whose build in dist/ was measured, and a hash of those bundles. */
  readonly commit: string;
  readonly bundles: string;
  readonly seeds: number;
  /** Of all lanes together. */
  readonly seconds: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

const root = new URL('../../', import.meta.url);
const inRoot = (name: string): string => fileURLToPath(new URL(name, root));
const journal = inRoot('out/soak.progress.json');
mkdirSync(inRoot('out/'), { recursive: true });
const done: Record<string, Done> = existsSync(journal)
  ? (JSON.parse(readFileSync(journal, 'utf8')) as Record<string, Done>)
  : {};

/** Killed in between, the one before is there. */
function writeJournal(): void {
  writeFileSync(`${journal}.new`, JSON.stringify(done, null, 2));
  renameSync(`${journal}.new`, journal);
}

/** The keys noted so far; a line that was cut off when it was written is none. */
function keysIn(file: string): Set<string> {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const keys = new Set(lines.filter((line) => line.length === KEY_LENGTH));
  if (keys.size > 0) writeFileSync(file, `${[...keys].join('\n')}\n`);
  return keys;
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: inRoot('.'), encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', 'src', 'test/store', 'test/soak') === '' ? '' : ' and changes';
  return `${git('rev-parse', '--short', 'HEAD')}${changed}`;
}

function hashOf(bundles: RegExp): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(inRoot('dist/'))
    .filter((file) => bundles.test(file))
    .sort())
    hash.update(name).update(readFileSync(inRoot(`dist/${name}`)));
  return hash.digest('hex').slice(0, 16);
}

function report(): void {
  const figures = Object.entries(PARTS).map(([part, { goal, counted }]) => {
    const {
      commit: of = null,
      bundles = null,
      seeds = 0,
      seconds = 0,
      figures: reached = {},
      problems = [],
    } = done[part] ?? {};
    const isReached = (reached[counted] ?? 0) >= goal;
    return [
      part,
      {
        goal,
        reached: isReached,
        commit: of,
        bundles,
        seeds,
        seconds: Math.round(seconds),
        ...reached,
        problems,
      },
    ];
  });
  writeResult('soak', Object.fromEntries(figures) as object);
}

/** One batch in a process of its own: a leak or a crash of one does no harm to the next. */
function perform(part: string, seed: number): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const child = fork(inRoot('test/soak/batch.ts'), [part, String(seed)]);
    let tally: Tally | null = null;
    child.on('message', (message) => (tally = message as Tally));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (tally === null)
        reject(new Error(`${part}, seed ${seed}: the batch ended with code ${String(code)}.`));
      else resolve(tally);
    });
  });
}

function add(
  figures: Readonly<Record<string, number>>,
  more: Tally['figures'],
): Readonly<Record<string, number>> {
  const sum: Record<string, number> = { ...figures };
  for (const [name, count] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

const MOST_PROBLEMS = 50;

async function soak(part: string, { goal, counted, bundles }: Part): Promise<void> {
  const met = inRoot(`out/soak.${part.replaceAll(' ', '-')}.keys`);
  const hash = hashOf(bundles);
  if (done[part]?.bundles !== hash) {
    rmSync(met, { force: true });
    done[part] = { commit: commit(), bundles: hash, seeds: 0, seconds: 0, figures: {}, problems: [] };
  }
  const keys = keysIn(met);
  let next = done[part].seeds + 1;
  const isOver = (): boolean =>
    (done[part]?.figures[counted] ?? 0) >= goal || (done[part]?.problems.length ?? 0) >= MOST_PROBLEMS;
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const seed = next++;
      const began = performance.now();
      const tally = await perform(part, seed);
      const before = done[part] as Done;
      const fresh = (tally.keys ?? []).filter((key) => !keys.has(key));
      for (const key of fresh) keys.add(key);
      if (fresh.length > 0) appendFileSync(met, `${fresh.join('\n')}\n`);
      const sum = add(before.figures, tally.figures);
      done[part] = {
        ...before,
        seeds: Math.max(before.seeds, seed),
        seconds: before.seconds + (performance.now() - began) / 1000,
        figures: tally.keys === undefined ? sum : { ...sum, [counted]: keys.size },
        problems: [...before.problems, ...tally.problems.map((problem) => `seed ${seed}: ${problem}`)],
      };
      writeJournal();
      const { figures, problems } = done[part];
      process.stderr.write(
        `${part}: ${figures[counted] ?? 0} of ${goal} ${counted}, ${problems.length} problems\n`,
      );
    }
  };
  await Promise.all(Array.from({ length: Number(values.lanes) }, lane));
}

if (!values.report)
  for (const [part, of] of Object.entries(PARTS))
    if (values.only === undefined || values.only === part) await soak(part, of);
report();
process.exitCode = Object.values(done).some(({ problems }) => problems.length > 0) ? 1 : 0;
