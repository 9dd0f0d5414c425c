import { describe, expect, test } from 'vitest';
import { fight, stopTheOwner } from './fight.ts';

describe('processes that fight for a workspace', () => {
  test('write one after the other, never at once, through kills and stops', async () => {
    const { problems, ...counts } = await fight({
      seed: 1,
      processes: 4,
      ms: 20_000,
      least: { owners: 6, kills: 4, stops: 4 },
    });
    console.log(`${JSON.stringify(counts)}`);
    expect(problems).toEqual([]);
    expect(counts.sessions).toBeGreaterThan(1);
    expect(counts.kills + counts.stops).toBeGreaterThan(1);
    expect(counts.acknowledged).toBeGreaterThan(0);
  }, 600_000);

  test('leave a stopped owner what it owns, and follow it when it is killed', async () => {
    const { problems, sessions } = await stopTheOwner('lock', 2_000);
    expect(problems).toEqual([]);
    expect(sessions).toBe(2);
  }, 600_000);

  test('are seen to write at once where ownership is a lease that runs out', async () => {
    const { problems } = await stopTheOwner('lease', 30_000);
    expect(problems.length).toBeGreaterThan(0);
  }, 600_000);
});
