import { describe, expect, test } from 'vitest';
import { makeBase, runWithFault } from './faultRun.ts';

const CODES = ['ENOSPC', 'EIO', 'EACCES', 'EROFS', 'EMFILE', 'EBUSY'] as const;

/** What the power leaves is the same whatever the code; one stands for all. */
const POWER: ReadonlySet<string> = new Set(['EIO']);

describe('the N-th operation on the files fails, for every N until none does', () => {
  test.each(CODES.flatMap((code) => [false, true].map((sticky) => ({ code, sticky }))))(
    '$code, sticky: $sticky: nothing acknowledged is lost, the store goes on',
    async ({ code, sticky }) => {
      const base = await makeBase();
      const problems: string[] = [];
      let points = 0;
      let repeated = 0;
      for (let nth = 1; problems.length < 5; nth++) {
        const outcome = await runWithFault(base, { nth, code, sticky, power: POWER.has(code) });
        repeated += outcome.repeatedSyncs;
        problems.push(
          ...outcome.problems.map((problem) => `operation ${nth}, ${outcome.operation}: ${problem}`),
        );
        if (!outcome.fired) break;
        points++;
      }
      console.log(
        `${code}, sticky ${sticky}: ${points} operations failed, ${problems.length} problems, ${repeated} syncs repeated without opening the file anew.`,
      );
      expect(problems).toEqual([]);
      expect(points).toBeGreaterThan(60);
      expect(repeated).toBe(0);
    },
  );
});
