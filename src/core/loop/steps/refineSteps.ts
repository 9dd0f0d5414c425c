/** Owns how `select` over solutions and `revise` run inside a round, and where a person's judgement enters it. */
import { hashOf } from '../../measure/hash.ts';
import { feedbackId } from '../../measure/identity.ts';
import { stream } from '../../measure/random.ts';
import type { Annotation, Feedback, Refinement } from '../../model/feedback.ts';
import type { ExperienceKey, SolutionId } from '../../model/ids.ts';
import { reviseInstruction } from '../../refine/revise.ts';
import {
  keepUnfiltered,
  parseKeepRule,
  selectByThreshold,
  type Judged,
} from '../../refine/selectSolutions.ts';
import type { Experience } from '../arm.ts';
import type { ReviseParameters, SelectSolutionsParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';

export function selectSolutionsStep(context: StepContext, parameters: SelectSolutionsParameters): StepResult {
  const rule = parseKeepRule(parameters.keep);
  return refine(context, (judged) => selectByThreshold(judged, rule, context.at));
}

/** The control's stand-in for a selection it leaves out. */
export function withoutSelection(context: StepContext): StepResult {
  return refine(context, (judged) => keepUnfiltered(judged, context.at));
}

function refine(context: StepContext, decide: (judged: Judged) => Refinement): StepResult {
  const { values, arm } = context;
  const carried = [...arm.earlier].filter(([key]) => values.annotations.has(key));
  const experiences = [...values.experiences, ...carried.map(([, experience]) => experience)];
  const feedback = new Map<SolutionId, readonly Feedback[]>(values.feedback);
  const human: Feedback[] = [];
  const refinements = experiences.map(({ solution }) => {
    const annotation = values.annotations.get(solution.key) ?? null;
    const before = feedback.get(solution.id) ?? [];
    const said = annotation === null ? [] : [humanFeedback(solution.id, annotation)];
    human.push(...said);
    const all = [...before, ...said];
    feedback.set(solution.id, all);
    return decide({ solutionId: solution.id, feedback: all, annotation });
  });
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

function humanFeedback(solutionId: SolutionId, annotation: Annotation): Feedback {
  const { verdict, score, note } = annotation;
  const value: Feedback['value'] =
    verdict !== null
      ? { kind: 'pass', pass: verdict === 'accept' }
      : score !== null
        ? { kind: 'score', score }
        : { kind: 'text', text: note };
  const id = feedbackId(solutionId, 'human', hashOf([verdict, score, note]));
  return { id, solutionId, source: 'human', by: 'a person', value, ...(note === '' ? {} : { reason: note }) };
}

function withoutKeys(map: ReadonlyMap<ExperienceKey, Experience>, keys: readonly ExperienceKey[]) {
  if (keys.length === 0) return map;
  const rest = new Map(map);
  for (const key of keys) rest.delete(key);
  return rest;
}

export function reviseStep(context: StepContext, parameters: ReviseParameters): StepResult {
  const { run, at, arm } = context;
  const drafts = reviseInstruction(
    arm.inUse.state.instruction,
    parameters,
    stream(run.seed, at.step, at.round),
  );
  return {
    values: { drafts },
    events: [
      {
        kind: 'draftsRevised',
        count: drafts.length,
        digest: hashOf(drafts.map(({ instruction }) => instruction)),
      },
    ],
  };
}
