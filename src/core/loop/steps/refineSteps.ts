/** Owns how `select` over solutions runs inside a round, and where a person's judgement enters it. */
import { hashOf } from '../../measure/hash.ts';
import { stream } from '../../measure/random.ts';
import type { Feedback, Refinement } from '../../model/feedback.ts';
import type { ExperienceKey, SolutionId } from '../../model/ids.ts';
import {
  keepUnfiltered,
  parseKeepRule,
  selectSolutions,
  type Judged,
  type SolutionPolicy,
} from '../../refine/selectSolutions.ts';
import type { Experience } from '../arm.ts';
import type { SelectSolutionsParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { humanFeedback } from './humanSteps.ts';

export function selectSolutionsStep(context: StepContext, parameters: SelectSolutionsParameters): StepResult {
  const { run, at, arm } = context;
  const policy = policyOf(parameters, arm.aim.threshold);
  return refine(context, (judged) =>
    selectSolutions(judged, policy, at, (task) => stream(run.seed, at.step, at.round, task, 'select')),
  );
}

/** `raised` is the threshold that `retarget` set, which outranks the recipe's own. */
function policyOf(parameters: SelectSolutionsParameters, raised: number | null): SolutionPolicy {
  const { policy, keep, band, k, by, maxEntropy, temperature, size } = parameters;
  switch (policy) {
    case 'threshold':
      return { policy, rule: raised === null ? parseKeepRule(keep) : { sign: '>=', bound: raised } };
    case 'band':
      return { policy, band };
    case 'top':
      return { policy, k };
    case 'majority':
      return { policy, maxEntropy: maxEntropy ?? null };
    case 'distinct':
      return { policy, rule: parseKeepRule(keep), by };
    case 'extremes':
      return { policy };
    case 'softmax':
      return { policy, k, temperature };
    case 'tournament':
      return { policy, k, size };
  }
}

/** The control's stand-in for a selection it leaves out. */
export function withoutSelection(context: StepContext): StepResult {
  return refine(context, (judged) => judged.map((item) => keepUnfiltered(item, context.at)));
}

function refine(context: StepContext, decide: (judged: readonly Judged[]) => Refinement[]): StepResult {
  const { values, arm } = context;
  const carried = [...arm.earlier].filter(([key]) => values.annotations.has(key));
  const experiences = [...values.experiences, ...carried.map(([, experience]) => experience)];
  const feedback = new Map<SolutionId, readonly Feedback[]>(values.feedback);
  const human: Feedback[] = [];
  const judged = experiences.map(({ task, solution }): Judged => {
    const annotation = values.annotations.get(solution.key) ?? null;
    const before = feedback.get(solution.id) ?? [];
    const said = annotation === null ? [] : [humanFeedback(solution.id, annotation)];
    human.push(...said);
    const all = [...before, ...said];
    feedback.set(solution.id, all);
    const { output, answer } = solution;
    return { solutionId: solution.id, taskId: task.id, output, answer, feedback: all, annotation };
  });
  const refinements = decide(judged);
  const count = (verdict: Refinement['verdict']) =>
    refinements.filter((item) => item.verdict === verdict).length;
  return {
    values: {
      experiences,
      feedback,
      refinements: new Map(refinements.map((item) => [item.solutionId, item])),
    },
    arm: {
      earlier: withoutKeys(
        arm.earlier,
        carried.map(([key]) => key),
      ),
    },
    events: [
      {
        kind: 'refinementsMade',
        kept: count('kept'),
        dropped: count('dropped'),
        corrected: count('corrected'),
        byHuman: human.length,
        digest: hashOf(
          refinements.map((item, index) => {
            const solution = (experiences[index] as Experience).solution;
            return [solution.taskId, solution.sample, solution.at.round, item.verdict, item.reason];
          }),
        ),
      },
    ],
    rows: { feedback: human, refinements },
  };
}

function withoutKeys(map: ReadonlyMap<ExperienceKey, Experience>, keys: readonly ExperienceKey[]) {
  if (keys.length === 0) return map;
  const rest = new Map(map);
  for (const key of keys) rest.delete(key);
  return rest;
}
