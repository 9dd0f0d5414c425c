/** Owns what of a candidate's state, and of earlier attempts, an attempt at a task is shown. Deliberately pure. */
import type { Recall } from '../../measure/retrieve.ts';
import type { Task } from '../../model/task.ts';
import { plainFraming, type Framing } from '../../prompt/messages.ts';
import { withoutAnswer } from '../../prompt/answer.ts';
import type { Experience, RoundValues } from '../arm.ts';
import type { SolveParameters } from '../recipe.ts';
import { byTask, scoresOf } from './attempts.ts';

/** A negation that says nothing of its own. */
const NEGATION =
  'Give an answer that looks right to a careless reader but is wrong or unhelpful. Do not say that it is.';

/** Framings of the tasks of a solve step, by task; `recall` is over the solver's memory. */
export function framingsOf(
  recall: Recall,
  values: RoundValues,
  parameters: SolveParameters,
  principles: readonly string[],
): (task: Task) => Framing {
  const { context, negated, style, prior } = parameters;
  const score = scoresOf(values);
  const attempts = byTask(prior ? values : { experiences: [] });
  const shows = {
    scratch: context.includes('scratch'),
    workflow: context.includes('workflow'),
    demonstrations: context.includes('demonstrations'),
  };
  return (task) => {
    const newest = attempts.get(task.id)?.at(-1);
    return {
      ...plainFraming,
      shows,
      principles: context.includes('principles') ? principles : [],
      knowledge: context.includes('memory') ? recall(task.input, parameters.recall) : [],
      reasoning: style === 'cot',
      negation: negated === false ? null : negated === true ? NEGATION : negated,
      attempts:
        newest === undefined
          ? []
          : [
              {
                output: newest.solution.output,
                said: (score(newest) ?? 0) >= 1 ? null : saidOf(values, newest),
              },
            ],
    };
  };
}

/** Framings of an evaluation: everything the candidate's state holds. */
export function evaluationFramings(
  recall: Recall,
  { style, recall: k }: { readonly style: 'plain' | 'cot'; readonly recall: number },
): (task: Task) => Framing {
  return (task) => ({
    ...plainFraming,
    knowledge: recall(task.input, k),
    reasoning: style === 'cot',
  });
}

/** What was said of a solution, in words; never its reference, though a judge who saw it may have said it (law 4). */
export function saidOf(values: RoundValues, { task, solution }: Experience): string {
  const words = (values.feedback.get(solution.id) ?? [])
    .flatMap(({ reason, source, value }) => {
      if (value.kind === 'text') return [value.text];
      // A grader's reason names the reference: only that it was wrong is said.
      if (source === 'metric') return [];
      return reason === undefined ? [] : [reason];
    })
    .join('\n');
  return withoutAnswer(words, task.reference ?? '', solution.output);
}
