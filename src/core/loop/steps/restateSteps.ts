/**
 * Owns how `revise` of tasks, knowledge and the workflow runs inside a round. A text whose new wording gives an answer
 * away stays as it was (law 4). Deliberately makes no candidate: a workflow becomes a draft.
 */
import { hashOf } from '../../measure/hash.ts';
import { taskId } from '../../measure/identity.ts';
import { streamSeed } from '../../measure/random.ts';
import type { Knowledge } from '../../model/knowledge.ts';
import type { TaskId } from '../../model/ids.ts';
import type { Task } from '../../model/task.ts';
import { placesOf, withoutAnswer } from '../../prompt/answer.ts';
import { readRestated, restateMessages, type Kind } from '../../refine/restate.ts';
import { copiesLiterals, knowledgeId } from '../../update/distill.ts';
import type { Experience } from '../arm.ts';
import type { ReviseParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { byTask, scoresOf, unsolved } from './attempts.ts';
import { saidOf } from './framing.ts';
import { drafted } from './mutateSteps.ts';

export type OfText = Extract<ReviseParameters, { over: 'tasks' | 'knowledge' | 'workflow' }>;

interface Text {
  readonly item: string;
  readonly text: string;
  /** What a critique goes by; '' where nothing is known. */
  readonly said: string;
}

/** Each text written anew; as it was where the reply held none, or where a critique has nothing to go by. */
async function rewritten(
  context: StepContext,
  texts: readonly Text[],
  kind: Kind,
  { mode, temperature, maxTokens }: OfText,
): Promise<ReadonlyMap<string, string>> {
  const { run, at, arm } = context;
  const asked = mode === 'critique' ? texts.filter(({ said }) => said !== '') : texts;
  const answers = await context.ask(
    at.round,
    asked.map(({ item, text, said }) => ({
      item,
      sample: 0,
      input: text,
      request: {
        messages: restateMessages(kind, mode, text, mode === 'critique' ? said : ''),
        temperature,
        maxTokens,
        seed: streamSeed(run.seed, at.step, at.round, item),
        weights: arm.inUse.state.weights,
      },
    })),
  );
  const found = new Map<string, string>();
  answers.forEach((answer, index) => {
    const text = answer.ok ? readRestated(answer.text) : null;
    const item = asked[index]?.item;
    if (text !== null && item !== undefined) found.set(item, text);
  });
  return found;
}

/** Attempts shown to a critique at most. */
const SHOWN = 3;

/** Failed attempts in words, with what was said of them, but not their answers. */
function failuresText({ values }: StepContext, attempts: readonly Experience[]): string {
  const scoreOf = scoresOf(values);
  return attempts
    .filter((experience) => {
      const score = scoreOf(experience);
      return score !== null && score < 1;
    })
    .slice(0, SHOWN)
    .map(({ task, solution }, index, shown) => {
      const said = saidOf(values, shown[index] as Experience);
      return `Task: ${task.input}\nAttempt: ${solution.output}\nIt was wrong.${said === '' ? '' : ` ${said}`}`;
    })
    .join('\n\n');
}

/** What was said of a task: by whoever scored it, and of the attempts at it. */
function saidOfTask(context: StepContext, task: Task, attempts: readonly Experience[]): string {
  const note = context.values.taskScores.get(task.id);
  const noted = note === undefined ? '' : `Score ${note.score.toFixed(2)} of 1: ${note.reason}`;
  const words = [noted, failuresText(context, attempts)].filter((part) => part !== '').join('\n\n');
  return withoutAnswer(words, task.reference ?? '', '');
}

/** An answer that was not in the task before; answers of one or two signs are found everywhere. */
function givesAway({ input, reference = '' }: Task, text: string): boolean {
  const answer = reference.trim();
  return answer.length > 2 && placesOf(answer, text).length > placesOf(answer, input).length;
}

/** A task keeps its reference: only its words change. Its attempts and scores stay with the old words. */
export async function restateTasks(context: StepContext, parameters: OfText): Promise<StepResult> {
  const { values } = context;
  const attempts: ReadonlyMap<TaskId, readonly Experience[]> = byTask(values);
  const failed = unsolved(values);
  const meant = values.tasks.filter(({ id }) => parameters.only === 'all' || failed.has(id));
  const texts = await rewritten(
    context,
    meant.map((task) => ({
      item: task.id,
      text: task.input,
      said: saidOfTask(context, task, attempts.get(task.id) ?? []),
    })),
    'task',
    parameters,
  );
  const next = values.tasks.map((task) => {
    const input = texts.get(task.id) ?? task.input;
    return input === task.input || givesAway(task, input)
      ? task
      : { ...task, input, id: taskId({ ...task, input }) };
  });
  return {
    values: { tasks: next },
    events: [
      { kind: 'tasksAcquired', split: 'train', count: next.length, digest: hashOf(next.map(({ id }) => id)) },
    ],
    rows: { tasks: next },
  };
}

/** Attempts an item was learnt from, or that had it in their prompt. */
function attemptsWith({ values }: StepContext, { id, from }: Knowledge): readonly Experience[] {
  const sources = new Set(from);
  return values.experiences.filter(
    ({ solution, recalled }) => recalled.includes(id) || sources.has(solution.id),
  );
}

/** Whether an item did more harm than good: by its counts, and by the attempts it had to do with. */
function didHarm(context: StepContext, item: Knowledge): boolean {
  const scoreOf = scoresOf(context.values);
  const use = context.arm.uses.get(item.id) ?? item;
  const scores = attemptsWith(context, item).flatMap((experience) => scoreOf(experience) ?? []);
  const solved = scores.filter((score) => score >= 1).length;
  return use.harmful + scores.length - solved > use.helpful + solved;
}

export async function restateKnowledge(context: StepContext, parameters: OfText): Promise<StepResult> {
  const { knowledge, experiences } = context.values;
  const meant = knowledge.filter((item) => parameters.only === 'all' || didHarm(context, item));
  const texts = await rewritten(
    context,
    meant.map((item) => ({
      item: item.id,
      text: item.text,
      said: failuresText(context, attemptsWith(context, item)),
    })),
    'lesson',
    parameters,
  );
  const tasks = [...new Set(experiences.map(({ task }) => task))];
  let refused = 0;
  const next = knowledge.map((item) => {
    const text = texts.get(item.id) ?? item.text;
    const copies = text !== item.text && copiesLiterals(text, tasks);
    if (copies) refused += 1;
    return copies || text === item.text ? item : { ...item, text, id: knowledgeId(item.form, text) };
  });
  return {
    values: { knowledge: next },
    events: [
      {
        kind: 'knowledgeDistilled',
        form: knowledge[0]?.form ?? 'rule',
        count: next.length,
        refused,
        digest: hashOf(next.map(({ id }) => id)),
      },
    ],
  };
}

/** The workflow in use, or what was distilled as one, as a draft written anew. */
export async function restateWorkflow(context: StepContext, parameters: OfText): Promise<StepResult> {
  const { values, arm } = context;
  const distilled = values.knowledge.filter(({ form }) => form === 'workflow').map(({ text }) => text);
  const text = distilled.length > 0 ? distilled.join('\n') : (arm.inUse.state.workflow ?? '');
  const left = parameters.only === 'failures' && unsolved(values).size === 0;
  if (text === '' || left) return drafted(context, []);
  const said = failuresText(context, values.experiences);
  const next = (await rewritten(context, [{ item: 'workflow', text, said }], 'workflow', parameters)).get(
    'workflow',
  );
  if (next === undefined) return drafted(context, []);
  const note = parameters.mode === 'restate' ? 'workflow in other words' : 'workflow written anew';
  return drafted(context, [
    { slot: 'workflow', text: next, note, parents: [arm.inUse], island: null, way: null },
  ]);
}
