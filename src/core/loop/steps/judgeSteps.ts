/**
 * Owns judging by models inside a round: of solutions, of tasks, of pairs, by several votes and a panel. Every judge has a
 * version, made of its model, rubric and weights (law 5). Deliberately leaves what is asked to core/acquire/judge.ts.
 */
import {
  judgeName,
  judgePair,
  judgeSolution,
  judgeTask,
  judgementFormat,
  preferenceFormat,
  readJudgement,
  readPreference,
} from '../../acquire/judge.ts';
import { feedbackId } from '../../measure/identity.ts';
import { pick, stream, streamSeed } from '../../measure/random.ts';
import type { Feedback } from '../../model/feedback.ts';
import type { ContentHash, TaskId } from '../../model/ids.ts';
import type { Task } from '../../model/task.ts';
import type { ModelAnswer, Message } from '../../ports.ts';
import type { Experience, TaskScoreNote } from '../arm.ts';
import { type AnswerForm, askForm } from '../askForm.ts';
import type { AssessParameters } from '../recipe.ts';
import type { StepContext } from '../stepContext.ts';
import { byTask } from './attempts.ts';

interface Judge {
  readonly provider: string;
  readonly weights: ContentHash | null;
}

/** The step's panel, else the candidate's own judge, else the recipe's, else the model itself. */
function judgesOf({ run, arm }: StepContext, { panel }: AssessParameters): readonly Judge[] {
  const { judge: own, weights } = arm.inUse.state;
  const names = panel.length > 0 ? panel : [own?.model ?? run.recipe.judge ?? run.recipe.model];
  return names.map((provider) => ({ provider, weights: provider === run.recipe.model ? weights : null }));
}

/** One line of it for this item where the step says so. */
function rubricFor(
  { run, at, arm }: StepContext,
  { rubric, pickOne }: AssessParameters,
  item: string,
): string {
  const lines = arm.inUse.state.judge === undefined ? rubric : arm.inUse.state.judge.rubric;
  if (typeof lines === 'string') return lines;
  return pickOne ? pick(stream(run.seed, at.step, at.round, item, 'rubric'), lines) : lines.join('\n');
}

interface Question {
  readonly item: string;
  readonly input: string;
  readonly messages: readonly Message[];
}

const judgementForm = (parameters: AssessParameters): AnswerForm => ({
  format: judgementFormat(parameters),
  isReadable: (reply) => readJudgement(reply, parameters.scale) !== null,
});

/** Each judge's votes on each question: `answers[question][vote]`, judges one after the other. */
async function vote(
  context: StepContext,
  parameters: AssessParameters,
  questions: readonly Question[],
  form: AnswerForm,
): Promise<readonly (readonly { readonly judge: Judge; readonly answer: ModelAnswer }[])[]> {
  const { run, at } = context;
  const votes: { judge: Judge; answer: ModelAnswer }[][] = questions.map(() => []);
  for (const judge of judgesOf(context, parameters)) {
    const calls = questions.flatMap(({ item, input, messages }) =>
      Array.from({ length: parameters.votes }, (_, sample) => ({
        item,
        sample,
        input,
        request: {
          messages,
          temperature: parameters.temperature,
          maxTokens: parameters.maxTokens,
          seed: streamSeed(run.seed, at.step, at.round, item, sample),
          weights: judge.weights,
        },
      })),
    );
    const answers = await askForm(context, calls, form, judge.provider);
    answers.forEach((answer, index) => votes[Math.floor(index / parameters.votes)]?.push({ judge, answer }));
  }
  return votes;
}

function panelName(context: StepContext, parameters: AssessParameters): string {
  const { rubric } = parameters;
  const text =
    context.arm.inUse.state.judge?.rubric ?? (typeof rubric === 'string' ? rubric : rubric.join('\n'));
  return judgesOf(context, parameters)
    .map(({ provider, weights }) =>
      judgeName(
        { model: provider, rubric: text },
        weights,
        parameters,
        provider === context.run.recipe.model,
      ),
    )
    .join(' + ');
}

function itemOf({ task, solution }: Experience): string {
  return `${task.id}/${solution.at.step}/${solution.sample}`;
}

export async function judgeSolutions(
  context: StepContext,
  parameters: AssessParameters,
): Promise<Feedback[]> {
  const by = panelName(context, parameters);
  const judged = unjudged(context, by);
  const votes = await vote(
    context,
    parameters,
    judged.map((experience) => ({
      item: itemOf(experience),
      input: experience.task.input,
      messages: judgeSolution(
        experience.task,
        experience.solution.output,
        rubricFor(context, parameters, itemOf(experience)),
        parameters,
      ),
    })),
    judgementForm(parameters),
  );
  return judged.flatMap(({ solution }, index): Feedback[] => {
    const read = summary(votes[index] ?? [], parameters.scale);
    const base = { solutionId: solution.id, source: 'judge' as const };
    if (read === null) {
      const text = 'the judge gave no score that could be read';
      return [
        { ...base, id: feedbackId(solution.id, 'judge', `${by} unread`), by, value: { kind: 'text', text } },
      ];
    }
    const critique: Feedback[] =
      read.critique === null
        ? []
        : [
            {
              ...base,
              id: feedbackId(solution.id, 'judge', `${by} critique`),
              by,
              value: { kind: 'text', text: read.critique },
            },
          ];
    return [
      ...critique,
      {
        ...base,
        id: feedbackId(solution.id, 'judge', by),
        by,
        value: { kind: 'score', score: read.score },
        reason: read.reason,
      },
    ];
  });
}

/** The mean of the votes that could be read, with the words of the one nearest to it; null where none could. */
function summary(votes: readonly { readonly answer: ModelAnswer }[], scale: number) {
  const read = votes.flatMap(({ answer }) => {
    const judgement = answer.ok ? readJudgement(answer.text, scale) : null;
    return judgement === null ? [] : [judgement];
  });
  if (read.length === 0) return null;
  const score = read.reduce((sum, judgement) => sum + judgement.score, 0) / read.length;
  const nearest = read.reduce((best, next) =>
    Math.abs(next.score - score) < Math.abs(best.score - score) ? next : best,
  );
  return { score, reason: nearest.reason, critique: nearest.critique };
}

/** A loop comes by again: what this judge has judged stays judged, and is not paid for twice. */
function unjudged({ values }: StepContext, by: string): readonly Experience[] {
  return values.experiences.filter(
    ({ solution }) =>
      solution.failure === null &&
      !(values.feedback.get(solution.id) ?? []).some(
        (item) => item.source === 'judge' && item.by === by && item.value.kind !== 'text',
      ),
  );
}

export async function judgeTasks(
  context: StepContext,
  parameters: AssessParameters,
): Promise<ReadonlyMap<TaskId, TaskScoreNote>> {
  const { tasks } = context.values;
  const by = panelName(context, parameters);
  const votes = await vote(
    context,
    parameters,
    tasks.map((task) => ({
      item: task.id,
      input: task.input,
      messages: judgeTask(task, rubricFor(context, parameters, task.id), parameters),
    })),
    judgementForm(parameters),
  );
  return new Map(
    tasks.flatMap(({ id }, index) => {
      const read = summary(votes[index] ?? [], parameters.scale);
      return read === null ? [] : [[id, { score: read.score, by, reason: read.reason }] as const];
    }),
  );
}

interface Meeting {
  readonly task: Task;
  readonly first: Experience;
  readonly second: Experience;
}

/** Every two solutions of a task meet, in both orders with `swap`; a solution's score is its mean over its meetings. */
export async function judgePairs(context: StepContext, parameters: AssessParameters): Promise<Feedback[]> {
  const meetings = [...byTask(context.values).values()].flatMap(meetingsOf);
  // A share of won comparisons is no score on the rubric's scale: another judge, for law 5.
  const by = `${panelName(context, parameters)}, in pairs`;
  const orders = parameters.swap ? [false, true] : [false];
  const questions = meetings.flatMap(({ task, first, second }) =>
    orders.map((swapped) => {
      const item = `${itemOf(first)} ${itemOf(second)}${swapped ? ' swapped' : ''}`;
      const [a, b] = swapped ? [second, first] : [first, second];
      const rubric = rubricFor(context, parameters, `${itemOf(first)} ${itemOf(second)}`);
      return {
        item,
        input: task.input,
        messages: judgePair(task, a.solution.output, b.solution.output, rubric),
      };
    }),
  );
  const votes = await vote(context, parameters, questions, {
    format: preferenceFormat,
    isReadable: (reply) => readPreference(reply) !== null,
  });
  const points = new Map<Experience, number[]>();
  const add = (experience: Experience, value: number) =>
    points.set(experience, [...(points.get(experience) ?? []), value]);
  meetings.forEach(({ first, second }, index) => {
    const read = orders.map((swapped, order) =>
      preference(votes[index * orders.length + order] ?? [], swapped),
    );
    const known = read.filter((value) => value !== null);
    if (known.length < orders.length) return;
    // Two orders that disagree say nothing but where the judge prefers to look.
    const value = known.every((one) => one === known[0]) ? (known[0] ?? 0.5) : 0.5;
    add(first, value);
    add(second, 1 - value);
  });
  return [...points].map(([{ solution }, values]): Feedback => {
    const score = values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      id: feedbackId(solution.id, 'judge', by),
      solutionId: solution.id,
      source: 'judge',
      by,
      value: { kind: 'score', score },
      reason: `won ${score.toFixed(2)} of ${values.length} comparisons`,
    };
  });
}

function meetingsOf(group: readonly Experience[]): Meeting[] {
  const able = group.filter(({ solution }) => solution.failure === null);
  return able.flatMap((first, index) =>
    able.slice(index + 1).map((second) => ({ task: first.task, first, second })),
  );
}

/** How much the votes prefer the first of the meeting: 1, 0 or 0.5; null where none could be read. */
function preference(votes: readonly { readonly answer: ModelAnswer }[], swapped: boolean): number | null {
  const read = votes.flatMap(({ answer }) => (answer.ok ? (readPreference(answer.text) ?? []) : []));
  if (read.length === 0) return null;
  const mean = read.reduce((sum, value) => sum + value, 0) / read.length;
  const value = mean > 0.5 ? 1 : mean < 0.5 ? 0 : 0.5;
  return swapped ? 1 - value : value;
}
