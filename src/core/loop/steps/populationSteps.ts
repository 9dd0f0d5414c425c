/** Owns how `select` over the archive runs inside a round: parents for drafts, and children that beat their parents. */
import { hashOf } from '../../measure/hash.ts';
import { stream, type Random } from '../../measure/random.ts';
import type { Candidate } from '../../model/candidate.ts';
import type { EventBody } from '../../model/event.ts';
import { migrate } from '../../refine/islands.ts';
import { paretoOf, softmaxOf, tournamentOf } from '../../refine/selectMany.ts';
import type { SelectCandidatesParameters } from '../recipe.ts';
import type { Parent, Scored } from '../arm.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { newestOf, scoreBaseline } from './evaluateSteps.ts';

type Parents = Extract<SelectCandidatesParameters, { policy: 'pareto' | 'tournament' | 'softmax' }>;

/** Draws parents among the candidates with a dev evaluation, on each island for itself; all were measured on the same tasks. */
export function selectParentsStep(context: StepContext, parameters: Parents): StepResult {
  const { run, at, arm } = context;
  const pool = withDevScores(context);
  const moved = migratedNow(context, pool);
  const { islands } = moved;
  const parents = islands.flatMap((members, island): Parent[] => {
    const own = islands.length === 1 ? pool : pool.filter(({ candidate }) => members.has(candidate.id));
    const name = islands.length === 1 ? [] : [island];
    const random = stream(run.seed, at.step, at.round, 'parents', ...name);
    const drawn = drawOf(own, parameters, random).flatMap((index) => own[index]?.candidate ?? []);
    return (drawn.length > 0 ? drawn : [arm.inUse]).map((candidate) => ({ candidate, island }));
  });
  const names = parents.map(({ candidate, island }) =>
    islands.length === 1 ? candidate.note : `island ${island + 1}: ${candidate.note}`,
  );
  const text = `parents of the next drafts: ${names.join('; ')}${moved.told}`;
  return {
    values: { parents },
    arm: { islands, migrated: moved.round },
    events: [{ kind: 'reportMade', text, digest: hashOf(parents.map(({ candidate }) => candidate.id)) }],
  };
}

function drawOf(pool: readonly Scored[], parameters: Parents, random: Random): readonly number[] {
  const means = pool.map(({ evaluation }) => evaluation.mean);
  switch (parameters.policy) {
    case 'pareto': {
      const scores = pool.map(({ evaluation }) => evaluation.scores.map(({ score }) => score));
      return paretoOf(scores, parameters.k, random);
    }
    case 'tournament':
      return tournamentOf(means, parameters.k, parameters.size, random);
    case 'softmax':
      return softmaxOf(means, parameters.k, parameters.temperature, random);
  }
}

/** Every so many rounds, once in a round, before its parents are drawn. */
function migratedNow({ run, at, arm }: StepContext, pool: readonly Scored[]) {
  const { count, every, best } = run.recipe.islands;
  const due = count > 1 && at.round > 1 && (at.round - 1) % every === 0 && arm.migrated !== at.round;
  if (!due) return { islands: arm.islands, round: arm.migrated, told: '' };
  const scores = new Map(pool.map(({ candidate, evaluation }) => [candidate.id, evaluation.mean]));
  const { islands, moved } = migrate(arm.islands, (id) => scores.get(id) ?? null, best);
  return { islands, round: at.round, told: `; ${moved} joined the next island` };
}

/** The newest dev evaluation of each candidate of the archive, on the suite of the newest of all. */
function withDevScores({ arm }: StepContext): readonly Scored[] {
  const dev = arm.scored.filter(({ evaluation }) => evaluation.suite === 'dev');
  const digest = dev.at(-1)?.digest;
  const byId = new Map<string, Scored>();
  for (const item of dev) if (item.digest === digest) byId.set(item.candidate.id, item);
  const archived = new Set([...arm.archive, arm.inUse].map(({ id }) => id));
  return [...byId.values()].filter(({ candidate }) => archived.has(candidate.id));
}

/** Refuses contenders whose mean is not above every parent's on the very same tasks (GEPA's acceptance on a minibatch). */
export async function selectStrictlyStep(context: StepContext): Promise<StepResult> {
  const { arm, values, at } = context;
  const kept: Candidate[] = [];
  const events: EventBody[] = [];
  const evaluations: Scored['evaluation'][] = [];
  let state = arm;
  for (const candidate of values.contenders) {
    const scored = newestOf(state.scored, candidate, at.round);
    if (scored === undefined) continue;
    const parents = state.archive.filter(({ id }) => candidate.parents.includes(id));
    const means: number[] = [];
    for (const parent of parents.length > 0 ? parents : [arm.inUse]) {
      const baseline = await scoreBaseline({ ...context, arm: state }, parent, scored);
      state = { ...state, ...baseline.result?.arm };
      events.push(...(baseline.result?.events ?? []));
      if (baseline.result !== null) evaluations.push(baseline.scored.evaluation);
      means.push(baseline.scored.evaluation.mean);
    }
    if (means.every((mean) => scored.evaluation.mean > mean)) kept.push(candidate);
    else
      events.push({
        kind: 'candidateRefused',
        candidateId: candidate.id,
        inUse: arm.inUse.id,
        gain: null,
        reason: 'not above its parent on the same tasks',
      });
  }
  return { values: { contenders: kept }, arm: { scored: state.scored }, events, rows: { evaluations } };
}
