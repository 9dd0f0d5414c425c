/**
 * Owns the long forms of the store's proofs: crash states, damaged stores, kills. Goes on where it was stopped: each part
 * is done in batches named by their seed, and what is done is kept in out/. Exits with 1 on a problem.
 * Usage: node test/soak/run.ts [--crash N] [--damage N] [--kills N] [--fresh] [--report]; --report only writes what is done so far
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeResult } from '../bench/results.ts';
import { crashBatch, damageBatch, endpointBatch, killBatch, type Tally } from './batches.ts';

const { values } = parseArgs({
  options: {
    crash: { type: 'string', default: '100000' },
    damage: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '500' },
    fresh: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
});

interface Progress {
  readonly part: string;
  /** Count to reach, of this figure. */
  readonly goal: number;
  readonly counted: string;
  readonly batch: (seed: number) => Promise<Tally>;
}

const parts: readonly Progress[] = [
  { part: 'crash', goal: Number(values.crash), counted: 'states', batch: crashBatch },
  { part: 'damage', goal: Number(values.damage), counted: 'stores', batch: damageBatch },
  { part: 'kills on Pocket', goal: Number(values.kills) / 2, counted: 'kills', batch: killBatch },
  { part: 'kills on an endpoint', goal: Number(values.kills) / 2, counted: 'kills', batch: endpointBatch },
];

interface Done {
  readonly seeds: number;
  readonly seconds: number;
  readonly tally: Tally;
}

const journal = fileURLToPath(new URL('../../out/soak.progress.json', import.meta.url));
mkdirSync(fileURLToPath(new URL('../../out/', import.meta.url)), { recursive: true });
if (values.fresh) rmSync(journal, { force: true });
const done: Record<string, Done> = existsSync(journal)
  ? (JSON.parse(readFileSync(journal, 'utf8')) as Record<string, Done>)
  : {};

function add(first: Tally, second: Tally): Tally {
  const figures: Record<string, number> = { ...first.figures };
  for (const [name, count] of Object.entries(second.figures)) figures[name] = (figures[name] ?? 0) + count;
  return { figures, problems: [...first.problems, ...second.problems].slice(0, 50) };
}

function figures(): object {
  return Object.fromEntries(
    parts.map(({ part, goal, counted }) => {
      const { seeds = 0, seconds = 0, tally = { figures: {}, problems: [] } } = done[part] ?? {};
      const reached = (tally.figures[counted] ?? 0) >= goal;
      return [
        part,
        { goal, reached, seeds, seconds: Math.round(seconds), ...tally.figures, problems: tally.problems },
      ];
    }),
  );
}

for (const { part, goal, counted, batch } of values.report ? [] : parts) {
  for (;;) {
    const { seeds, seconds, tally } = done[part] ?? {
      seeds: 0,
      seconds: 0,
      tally: { figures: {}, problems: [] },
    };
    if ((tally.figures[counted] ?? 0) >= goal) break;
    const began = performance.now();
    const made = await batch(seeds + 1);
    done[part] = {
      seeds: seeds + 1,
      seconds: seconds + (performance.now() - began) / 1000,
      tally: add(tally, made),
    };
    writeFileSync(journal, JSON.stringify(done, null, 2));
    const total = done[part].tally;
    process.stderr.write(
      `${part}: ${total.figures[counted] ?? 0} of ${goal} ${counted}, ${total.problems.length} problems\n`,
    );
  }
}
writeResult('soak', figures());
process.exit(Object.values(done).some(({ tally }) => tally.problems.length > 0) ? 1 : 0);
