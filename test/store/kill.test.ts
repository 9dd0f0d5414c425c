import { describe, expect, test } from 'vitest';
import { stream } from '../../src/core/measure/random.ts';
import { pocketRecipe } from './killRecipes.ts';
import { killMoments, runThroughKills } from './killRun.ts';
import { paidKills } from './paidKills.ts';

const KILLS = 6;
/** Of the endpoint's run, about. */
const CALLS = 500;

describe('ratchet run, killed at random and begun again by the same command', () => {
  test('on Pocket: keeps all it said was saved, and ends as if it had not been killed', async () => {
    const recipe = pocketRecipe(4);
    const whole = await runThroughKills({ recipe, nextKill: () => null });
    expect(whole.problems).toEqual([]);
    const nextKill = killMoments(stream(1, 'kill'), whole.events.length, KILLS);
    const killed = await runThroughKills({ recipe, nextKill });
    console.log(`${killed.kills} kills, ${killed.acknowledged} events seen as saved.`);
    expect(killed.problems).toEqual([]);
    expect(killed.kills).toBeGreaterThan(0);
    expect(killed.acknowledged).toBeGreaterThan(0);
    expect(killed.events).toEqual(whole.events);
  }, 900_000);

  test('on an endpoint that bills: pays twice for nothing but what was in flight, and never says it paid less', async () => {
    const paid = await paidKills(stream(2, 'kill'), { rounds: 3, calls: CALLS, kills: KILLS });
    console.log(JSON.stringify(paid));
    expect(paid.problems).toEqual([]);
    expect(paid.kills).toBeGreaterThan(0);
    expect(paid.calls).toBeGreaterThan(150);
    expect(paid.askedAgain).toBeLessThanOrEqual(paid.inFlightAtKills);
    expect(paid.settledAskedAgain).toBe(0);
    expect(paid.charged).toBeGreaterThanOrEqual(paid.billed);
  }, 900_000);
});
