/**
 * Owns a real run over a real endpoint that bills each call as it arrives, killed at random and begun again, and what came
 * of the money: what was paid twice, and whether the run ever said it cost less than it was billed.
 */
import type { Random } from '../../src/core/measure/random.ts';
import { billOf, countingEndpoint, endpointRecipe } from './killRecipes.ts';
import { killMoments, runThroughKills } from './killRun.ts';

export interface PaidKills {
  readonly kills: number;
  readonly calls: number;
  readonly askedAgain: number;
  /** Calls that had arrived and were not settled durably at a kill, over all kills. */
  readonly inFlightAtKills: number;
  /** Calls asked again although their answer was durable. */
  readonly settledAskedAgain: number;
  /** Billionths of a dollar. */
  readonly billed: number;
  readonly charged: number;
  readonly problems: readonly string[];
}

/** `calls` is about how many the whole run makes; its rounds decide that. */
export async function paidKills(
  random: Random,
  { rounds, calls, kills }: { readonly rounds: number; readonly calls: number; readonly kills: number },
): Promise<PaidKills> {
  const endpoint = await countingEndpoint(60);
  const { asked } = endpoint;
  const money: string[] = [];
  let inFlightAtKills = 0;
  let settledAskedAgain = 0;
  let before = { calls: 0, settled: 0 };
  const look = (name: string, settled: number, charged: number): void => {
    // Of the bodies known before, at most those that were not settled then may have come again.
    const known = new Set(asked.slice(0, before.calls));
    const again = asked.slice(before.calls).filter((body) => known.has(body)).length;
    settledAskedAgain += Math.max(0, again - (known.size - before.settled));
    if (charged < billOf(asked.length))
      money.push(`${name}: ${charged} was charged for ${billOf(asked.length)} billed`);
    before = { calls: asked.length, settled };
  };
  try {
    let kill = 0;
    const run = await runThroughKills({
      recipe: endpointRecipe(rounds),
      environment: endpoint.environment,
      signs: () => asked.length,
      nextKill: killMoments(random, calls, kills),
      onKilled: ({ settled, charged }) => {
        inFlightAtKills += new Set(asked).size - settled;
        look(`kill ${kill++}`, settled, charged);
      },
    });
    look('the end', run.held.settled, run.held.charged);
    const askedAgain = asked.length - new Set(asked).size;
    const twice =
      askedAgain > inFlightAtKills
        ? [`${askedAgain} calls were paid twice, ${inFlightAtKills} were in flight at the kills`]
        : [];
    const lost = settledAskedAgain > 0 ? [`${settledAskedAgain} durable answers were paid again`] : [];
    return {
      kills: run.kills,
      calls: asked.length,
      ...{ askedAgain, inFlightAtKills, settledAskedAgain },
      billed: billOf(asked.length),
      charged: run.held.charged,
      problems: [...run.problems, ...twice, ...lost, ...money],
    };
  } finally {
    await endpoint.close();
  }
}
