/** Owns asking with a person watching: the ledger's answers, and what the running step shows while they come. */
import type { Phase, Position, RunProgress } from '../model/event.ts';
import { embedTexts } from './embed.ts';
import { operatorSteps } from './recipe.ts';
import type { RunContext, StepContext } from './stepContext.ts';

/** How long a round takes and how many are left, over all arms. Updated by the engine as rounds end. */
export interface Pace {
  roundMs: number | null;
  remainingRounds: number;
}

/** Newest outputs kept for people to watch. */
const LATEST = 6;

export function createAsk(
  run: RunContext,
  at: Position,
  what: { readonly phase: Phase; readonly operator: string },
  pace: Pace,
): Pick<StepContext, 'ask' | 'embed' | 'progress'> {
  const began = run.services.clock.monotonic();
  let latest: RunProgress['latest'] = [];
  const progress = (done: number, total: number, note?: string) => {
    const elapsed = run.services.clock.monotonic() - began;
    const remainingMs =
      pace.roundMs === null ? null : Math.max(0, pace.roundMs * pace.remainingRounds - elapsed);
    const where = note === undefined ? {} : { note };
    const cost = run.ledger.meter();
    run.services.onProgress({
      ...{ runId: run.id, at, ...what, done, total, latest, remainingMs, cost },
      ...where,
    });
  };
  const { recipe } = run;
  // A turn of a loop is called as its step with the number of the turn.
  const own = operatorSteps(recipe.steps).find(({ path }) => path === at.step.split('#', 1)[0])?.with;
  const batch = (own !== undefined && 'batch' in own ? own.batch : undefined) ?? recipe.mode === 'batch';
  return {
    progress,
    async embed(texts, provider) {
      const ledger = await run.embeddingsOf(provider);
      return embedTexts(ledger, at, texts, (done) => progress(done, texts.length, 'embeddings'));
    },
    async ask(round, calls, provider) {
      const ledger = provider === undefined ? run.ledger : await run.ledgerOf(provider);
      return ledger.ask({ step: at.step, round, at, batch }, calls, (done, settled, note) => {
        const newest = settled.slice(-LATEST).flatMap(({ index, answer }) => {
          const input = calls[index]?.input ?? '';
          return answer.ok ? [{ input, output: answer.text }] : [];
        });
        latest = [...newest.reverse(), ...latest].slice(0, LATEST);
        progress(done, calls.length, note);
      });
    },
  };
}
