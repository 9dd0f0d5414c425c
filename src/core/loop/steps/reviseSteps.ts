/** Owns how `revise` runs inside a round: drafts of prompts, corrected solutions, restated tasks. Deliberately makes no candidate. */
import { toSolution } from '../../acquire/solve.ts';
import { hashOf } from '../../measure/hash.ts';
import { taskId } from '../../measure/identity.ts';
import { pick, stream, streamSeed } from '../../measure/random.ts';
import type { Candidate } from '../../model/candidate.ts';
import type { EventBody } from '../../model/event.ts';
import { plainFraming, renderTask } from '../../prompt/messages.ts';
import { mutationMessages, readInstruction, STYLES, type Trace } from '../../refine/mutate.ts';
import { readRestated, restateMessages } from '../../refine/restate.ts';
import { reviseInstruction, type Draft } from '../../refine/revise.ts';
import { knowledgeId } from '../../update/distill.ts';
import type { Experience, Origin } from '../arm.ts';
import type { ReviseParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { scoresOf, unsolved } from './attempts.ts';
import { saidOf } from './framing.ts';
import { NO_ANSWER, solutionsEvent } from './solveSteps.ts';

type ByEdit = Extract<ReviseParameters, { mode: 'edit' }>;
type OfText = Extract<ReviseParameters, { only: string }>;
type ByModel = Exclude<ReviseParameters, ByEdit | OfText>;

export function reviseStep(
  context: StepContext,
  parameters: ReviseParameters,
): Promise<StepResult> | StepResult {
  if (parameters.over !== 'instruction') return reviseText(context, parameters);
  return parameters.mode === 'edit' ? editStep(context, parameters) : mutateStep(context, parameters);
}

function parentsOf({ values, arm }: StepContext): readonly Candidate[] {
  return values.parents.length > 0 ? values.parents : [arm.inUse];
}

function drafted(
  context: StepContext,
  drafts: readonly Draft[],
  events: readonly EventBody[] = [],
): StepResult {
  return {
    values: { drafts: [...context.values.drafts.filter((draft) => !drafts.includes(draft)), ...drafts] },
    events: [
      { kind: 'draftsRevised', count: drafts.length, digest: hashOf(drafts.map(({ text }) => text)) },
      ...events,
    ],
  };
}

function editStep(context: StepContext, parameters: ByEdit): StepResult {
  const { run, at } = context;
  const parents = parentsOf(context);
  const each = { ...parameters, n: Math.max(1, Math.floor(parameters.n / parents.length)) };
  const drafts = parents.flatMap((parent, index) =>
    reviseInstruction(
      parent,
      each,
      index === 0 ? stream(run.seed, at.step, at.round) : stream(run.seed, at.step, at.round, index),
    ),
  );
  return drafted(context, drafts);
}

async function mutateStep(context: StepContext, parameters: ByModel): Promise<StepResult> {
  const { run, at, arm } = context;
  const { mode } = parameters;
  const all = parentsOf(context);
  const plans = Array.from({ length: parameters.n }, (_, sample) => {
    const random = stream(run.seed, at.step, at.round, sample);
    const first = all[sample % all.length] ?? arm.inUse;
    const others = mates(context, first);
    const pairs = mode === 'crossover' || mode === 'merge';
    const second = pairs && others.length > 0 ? pick(random, others) : null;
    return { sample, parents: second === null ? [first] : [first, second], style: pick(random, STYLES) };
  }).filter(({ parents }) => parents.length === 2 || (mode !== 'crossover' && mode !== 'merge'));
  if (plans.length === 0)
    return drafted(
      context,
      [],
      [
        {
          kind: 'warningRaised',
          message: `There is no second candidate to ${mode} with yet, so no draft was made.`,
        },
      ],
    );
  const answers = await context.ask(
    at.round,
    plans.map(({ sample, parents, style }) => ({
      item: parents.map(({ id }) => id).join('+'),
      sample,
      input: '',
      request: {
        messages: mutationMessages(mode, {
          ability: run.recipe.objective.ability,
          parents: parents.map(({ state }) => state.instruction),
          traces: mode === 'reflect' ? tracesOf(context, parameters.evidence, sample) : [],
          history: mode === 'lineage' ? historyOf(context, parameters.history) : [],
          style,
        }),
        temperature: parameters.temperature,
        maxTokens: parameters.maxTokens,
        seed: streamSeed(run.seed, at.step, at.round, sample),
        weights: arm.inUse.state.weights,
      },
    })),
  );
  const texts = new Map<string, Draft>();
  answers.forEach((answer, index) => {
    const text = answer.ok ? readInstruction(answer.text) : null;
    const parents = plans[index]?.parents ?? [];
    if (text === null || parents.some(({ state }) => state.instruction === text) || texts.has(text)) return;
    texts.set(text, { slot: 'instruction', text, note: NOTES[mode], parents });
  });
  const lost = answers.length - texts.size;
  const events: EventBody[] =
    lost === 0
      ? []
      : [{ kind: 'warningRaised', message: `${lost} of ${answers.length} replies held no new instruction.` }];
  return drafted(context, [...texts.values()], events);
}

const NOTES: Readonly<Record<ByModel['mode'], string>> = {
  reflect: 'rewritten after looking at what it led to',
  firstOrder: 'changed in one way',
  zeroOrder: 'written anew from the ability',
  lineage: 'written from the scores of earlier ones',
  hyper: 'changed in a way thought of first',
  crossover: 'crossed from two',
  merge: 'merged from two',
};

/** Candidates of the archive a draft may be crossed with. */
function mates({ arm, values }: StepContext, first: Candidate): readonly Candidate[] {
  const pool = values.parents.length > 1 ? values.parents : [...arm.archive, arm.inUse];
  return pool.filter(
    ({ id, state }, index) =>
      id !== first.id &&
      state.instruction !== first.state.instruction &&
      pool.findIndex((other) => other.id === id) === index,
  );
}

/** Failures first, then the rest, in an order of this draft's own. */
function tracesOf(context: StepContext, count: number, sample: number): readonly Trace[] {
  const { run, at, values } = context;
  const random = stream(run.seed, at.step, at.round, sample, 'evidence');
  const scoreOf = scoresOf(values);
  const ranked = values.experiences
    .map((experience) => ({ experience, score: scoreOf(experience), order: random.unit() }))
    .sort((a, b) => (a.score ?? 0) - (b.score ?? 0) || a.order - b.order);
  return ranked.slice(0, count).map(({ experience, score }) => ({
    input: experience.task.input,
    reference: experience.task.reference ?? null,
    output: experience.solution.output,
    score,
    said: saidOf(values, experience),
  }));
}

/** The best so many of the instructions with a dev score, worst first. */
function historyOf({ arm }: StepContext, count: number) {
  const best = new Map<string, number>();
  for (const { candidate, evaluation } of arm.scored)
    if (evaluation.suite === 'dev') best.set(candidate.state.instruction, evaluation.mean);
  return [...best]
    .map(([instruction, score]) => ({ instruction, score }))
    .sort((a, b) => a.score - b.score)
    .slice(-count);
}

function reviseText(context: StepContext, parameters: OfText): Promise<StepResult> {
  switch (parameters.over) {
    case 'solutions':
      return reviseSolutions(context, parameters);
    case 'tasks':
      return restateTasks(context, parameters);
    case 'knowledge':
      return restateKnowledge(context, parameters);
    case 'workflow':
      return restateWorkflow(context, parameters);
  }
}

/** The newest attempt at each task is tried again, with what was said of it, with the reference, or with neither in sight. */
async function reviseSolutions(context: StepContext, parameters: OfText): Promise<StepResult> {
  const { run, at, arm, values } = context;
  const open = parameters.only === 'failures' ? unsolved(values) : null;
  const groups = [...Map.groupBy(values.experiences, ({ task }) => task.id).values()].filter(
    ([first]) => first !== undefined && (open === null || open.has(first.task.id)),
  );
  const last = groups.flatMap((group) => {
    const newest = group.at(-1);
    const usable = parameters.mode !== 'hint' || newest?.task.reference !== undefined;
    return newest === undefined || !usable ? [] : [{ newest, group }];
  });
  const draws = last.map(({ newest, group }) => {
    const shown = parameters.history === 'all' ? group : [newest];
    const attempts = shown.map((experience) => ({
      output: experience.solution.output,
      said: saidInRevision(values, experience, parameters),
    }));
    const framing =
      parameters.mode === 'hint'
        ? { ...plainFraming, hint: newest.task.reference ?? null, reasoning: true }
        : { ...plainFraming, attempts };
    const request = {
      messages: renderTask(arm.inUse.state, newest.task, framing),
      temperature: parameters.temperature,
      maxTokens: parameters.maxTokens,
      seed: streamSeed(run.seed, at.step, at.round, newest.task.id, newest.solution.sample),
      weights: arm.inUse.state.weights,
    };
    return { task: newest.task, sample: newest.solution.sample, request };
  });
  const answers = await context.ask(
    at.round,
    draws.map(({ task, sample, request }) => ({ item: task.id, sample, request, input: task.input })),
  );
  const origin: Origin = parameters.mode === 'hint' ? 'hinted' : 'revised';
  const revised = draws.map((draw, index): Experience => {
    const answer = answers[index] ?? NO_ANSWER;
    const place = { runId: run.id, at };
    const solution = toSolution(draw, answer, arm.inUse, place, run.recipe.objective.answer);
    return { task: draw.task, solution, origin, recalled: [] };
  });
  // The attempts that were revised make way: what is selected next is what they became.
  const replaced = new Set(last.map(({ newest }) => newest));
  const kept = values.experiences.filter((experience) => !replaced.has(experience));
  return {
    values: { experiences: [...kept, ...revised] },
    events: [solutionsEvent(revised)],
    rows: { tasks: draws.map(({ task }) => task), solutions: revised.map(({ solution }) => solution) },
  };
}

/** Without a critique only what the step itself knows is said: that failures failed. */
function saidInRevision(
  values: Parameters<typeof saidOf>[0],
  experience: Experience,
  { mode, only }: OfText,
): string | null {
  const said = mode === 'critique' ? saidOf(values, experience) : '';
  return said === '' && only === 'all' ? null : said;
}

interface Text {
  readonly item: string;
  readonly text: string;
}

/** Each text in the model's own words, null where its reply held none. */
async function restated(
  context: StepContext,
  texts: readonly Text[],
  kind: 'task' | 'lesson' | 'workflow',
  { temperature, maxTokens }: OfText,
): Promise<readonly (string | null)[]> {
  const { run, at, arm } = context;
  const answers = await context.ask(
    at.round,
    texts.map(({ item, text }) => ({
      item,
      sample: 0,
      input: text,
      request: {
        messages: restateMessages(kind, text),
        temperature,
        maxTokens,
        seed: streamSeed(run.seed, at.step, at.round, item),
        weights: arm.inUse.state.weights,
      },
    })),
  );
  return answers.map((answer) => (answer.ok ? readRestated(answer.text) : null));
}

/** A task keeps its reference: only its words change. */
async function restateTasks(context: StepContext, parameters: OfText): Promise<StepResult> {
  const { tasks } = context.values;
  const texts = await restated(
    context,
    tasks.map(({ id, input }) => ({ item: id, text: input })),
    'task',
    parameters,
  );
  const next = tasks.map((task, index) => {
    const input = texts[index] ?? task.input;
    return input === task.input ? task : { ...task, input, id: taskId({ ...task, input }) };
  });
  return {
    values: { tasks: next },
    events: [
      { kind: 'tasksAcquired', split: 'train', count: next.length, digest: hashOf(next.map(({ id }) => id)) },
    ],
    rows: { tasks: next },
  };
}

async function restateKnowledge(context: StepContext, parameters: OfText): Promise<StepResult> {
  const { knowledge } = context.values;
  const texts = await restated(
    context,
    knowledge.map(({ id, text }) => ({ item: id, text })),
    'lesson',
    parameters,
  );
  const next = knowledge.map((item, index) => {
    const text = texts[index] ?? item.text;
    return { ...item, text, id: knowledgeId(item.form, text) };
  });
  const form = knowledge[0]?.form ?? 'rule';
  return {
    values: { knowledge: next },
    events: [
      {
        kind: 'knowledgeDistilled',
        form,
        count: next.length,
        refused: 0,
        digest: hashOf(next.map(({ id }) => id)),
      },
    ],
  };
}

/** The workflow in use, or what was distilled as one, as a draft in other words. */
async function restateWorkflow(context: StepContext, parameters: OfText): Promise<StepResult> {
  const { values, arm } = context;
  const distilled = values.knowledge.filter(({ form }) => form === 'workflow').map(({ text }) => text);
  const text = distilled.length > 0 ? distilled.join('\n') : (arm.inUse.state.workflow ?? '');
  if (text === '') return drafted(context, []);
  const [next] = await restated(context, [{ item: 'workflow', text }], 'workflow', parameters);
  if (next === undefined || next === null) return drafted(context, []);
  return drafted(context, [
    { slot: 'workflow', text: next, note: 'workflow in other words', parents: [arm.inUse] },
  ]);
}
