import { expect, test } from 'vitest';
import { damages, swaps } from './damage.ts';
import { judge, makeStores, type Verdict } from './damageRun.ts';

const DAMAGED = 2400;

test('a damaged store is refused by name, or returns what was saved and names what it cannot', async () => {
  const { stores, saved } = await makeStores(1);
  const counts: Record<Verdict, number> = { refused: 0, harmless: 0, named: 0 };
  const problems: string[] = [];
  for (const damaged of damages(stores, 1, DAMAGED)) {
    const { verdict, problem } = await judge(damaged, saved, stores.now);
    counts[verdict]++;
    if (problem !== null) problems.push(problem);
  }
  console.log(
    `${DAMAGED} damaged stores: ${counts.refused} refused, ${counts.harmless} harmless, ${counts.named} opened and named, ${problems.length} problems.`,
  );
  expect(problems).toEqual([]);
  expect(counts.refused).toBeGreaterThan(300);
  expect(counts.named).toBeGreaterThan(100);
});

// SQLite takes any log that is whole in itself, whatever database it was of.
test('a database beside the log of another store is left as it is', async () => {
  const { stores, saved } = await makeStores(1);
  for (const damaged of swaps(stores))
    expect(await judge(damaged, saved, stores.now)).toEqual({ verdict: 'refused', problem: null });
});
