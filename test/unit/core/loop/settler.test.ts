import { describe, expect, it } from 'vitest';
import { createSettler } from '../../../../src/core/loop/settler.ts';

describe('group commit', () => {
  it('flushes what is added at any moment, also in the moment a flush has ended', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const flushed: number[] = [];
      const settler = createSettler<number>(async (batch) => {
        flushed.push(...batch);
      });
      settler.add(1);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      settler.add(2);
      await settler.finish();
      expect(flushed, `added ${turns} turns later`).toEqual([1, 2]);
    }
  });

  it('takes nothing after a failure, and says what it was', async () => {
    const settler = createSettler<number>(async () => {
      throw new Error('The disk is full.');
    });
    expect(settler.add(1)).toBe(true);
    await expect(settler.finish()).rejects.toThrow('The disk is full.');
    expect(settler.add(2)).toBe(false);
    expect(settler.failed).toBe(true);
  });
});
