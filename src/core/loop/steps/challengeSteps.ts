/** Owns having tasks a model set itself confirmed by solves that do not see their answers. Deliberately keeps no solution of them. */
import { confirmationOf, isCheckable } from '../../acquire/challenge.ts';
import { streamSeed } from '../../measure/random.ts';
import type { TaskId } from '../../model/ids.ts';
import type { Task } from '../../model/task.ts';
import { extractAnswer } from '../../prompt/answer.ts';
import { plainFraming, renderTask } from '../../prompt/messages.ts';
import type { TaskScoreNote } from '../arm.ts';
import type { ProposeParameters } from '../recipe.ts';
import type { StepContext } from '../stepContext.ts';

export interface Challenges {
  /** Those whose answers were confirmed. */
  readonly tasks: readonly Task[];
  /** The share of solves that came to a confirmed task's answer: how hard it is. */
  readonly scores: ReadonlyMap<TaskId, TaskScoreNote>;
  /** Answers nobody could check, and answers the solves did not come to. */
  readonly uncheckable: number;
  readonly unconfirmed: number;
}

/** Every task is solved `solves` times by the candidate in use, reasoning first. */
export async function confirmChallenges(
  context: StepContext,
  proposed: readonly Task[],
  { solves, agree, temperature, maxTokens }: ProposeParameters,
): Promise<Challenges> {
  const { run, at, arm } = context;
  const { state } = arm.inUse;
  const checkable = proposed.filter(({ reference }) => reference !== undefined && isCheckable(reference));
  const calls = checkable.flatMap((task) =>
    Array.from({ length: solves }, (_, sample) => ({
      item: `${task.id}/confirm`,
      sample,
      input: task.input,
      request: {
        messages: renderTask(state, task, { ...plainFraming, reasoning: true }),
        temperature,
        maxTokens,
        seed: streamSeed(run.seed, at.step, at.round, task.id, 'confirm', sample),
        weights: state.weights,
      },
    })),
  );
  const answers = await context.ask(at.round, calls);
  const scores = new Map<TaskId, TaskScoreNote>();
  const tasks = checkable.filter((task, index) => {
    const own = answers.slice(index * solves, (index + 1) * solves);
    const given = own.map((answer) =>
      answer.ok ? extractAnswer(answer.text, run.recipe.objective.answer) : null,
    );
    const { confirmed, share } = confirmationOf(task.reference ?? '', given, agree);
    if (confirmed) {
      const reason = `${Math.round(share * solves)} of ${solves} independent solves came to its answer`;
      scores.set(task.id, { score: share, by: 'independent solves', reason });
    }
    return confirmed;
  });
  return {
    tasks,
    scores,
    uncheckable: proposed.length - checkable.length,
    unconfirmed: checkable.length - tasks.length,
  };
}
