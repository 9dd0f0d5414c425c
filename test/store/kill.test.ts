import { describe, expect, test } from 'vitest';
import { stream } from '../../src/core/measure/random.ts';
import { countingEndpoint, endpointRecipe, pocketRecipe } from './killRecipes.ts';
import { killMoments, runThroughKills } from './killRun.ts';

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

  test('on an endpoint: asks nothing twice but what was not settled when it was killed', async () => {
    const endpoint = await countingEndpoint(60);
    try {
      let unsettled = 0;
      const { kills, problems } = await runThroughKills({
        recipe: endpointRecipe(3),
        environment: endpoint.environment,
        signs: () => endpoint.asked.length,
        nextKill: killMoments(stream(2, 'kill'), CALLS, KILLS),
        onKilled: (settled) => {
          unsettled += new Set(endpoint.asked).size - settled;
        },
      });
      const again = endpoint.asked.length - new Set(endpoint.asked).size;
      console.log(
        `${kills} kills, ${endpoint.asked.length} calls, ${again} asked again, ${unsettled} were not settled.`,
      );
      expect(problems).toEqual([]);
      expect(kills).toBeGreaterThan(0);
      expect(endpoint.asked.length).toBeGreaterThan(150);
      expect(again).toBeLessThanOrEqual(unsettled);
    } finally {
      await endpoint.close();
    }
  }, 900_000);
});
