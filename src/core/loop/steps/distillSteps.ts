/** Owns how `distill` runs inside a round. Deliberately stores nothing: that is `update`. */
import { hashOf } from '../../measure/hash.ts';
import { streamSeed } from '../../measure/random.ts';
import type { Knowledge } from '../../model/knowledge.ts';
import { SealedTaskError } from '../../update/pack.ts';
import {
  distillMessages,
  knowledgeId,
  readKnowledge,
  type DistillOptions,
  type Lesson,
} from '../../update/distill.ts';
import type { Experience } from '../arm.ts';
import type { DistillParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { scoresOf } from './attempts.ts';
import { saidOf } from './framing.ts';

export async function distillStep(context: StepContext, parameters: DistillParameters): Promise<StepResult> {
  const { run, at, arm } = context;
  const lessons = lessonsOf(context, parameters);
  const units = unitsOf(lessons, parameters);
  const banned = parameters.ban === 'none' ? [] : [...new Set(lessons.map(({ task }) => task))];
  const options: DistillOptions = { form: parameters.form, k: parameters.k, ask: parameters.ask ?? null };
  // A worked solution is a demonstration as it stands: writing it anew could only make it wrong.
  if (parameters.form === 'demonstration')
    return distilled(
      context,
      units.map((unit) => demonstration(unit, at.round)),
      0,
      parameters,
    );
  const calls = units.map(({ item, sample, lessons: own }) => ({
    item,
    sample,
    input: own[0]?.task.input ?? '',
    request: {
      messages: distillMessages(own, options),
      temperature: parameters.temperature,
      maxTokens: parameters.maxTokens,
      seed: streamSeed(run.seed, at.step, at.round, item, sample),
      weights: arm.inUse.state.weights,
    },
  }));
  const answers = await context.ask(at.round, calls);
  const read = answers.map((answer, index) =>
    answer.ok
      ? readKnowledge(answer.text, units[index]?.lessons ?? [], options, {
          banned,
          round: at.round,
        })
      : { items: [], refused: 0 },
  );
  const refused = read.reduce((sum, one) => sum + one.refused, 0);
  return distilled(
    context,
    read.map(({ items }) => items),
    refused,
    parameters,
  );
}

/** Law 2: nothing of a sealed task is learnt from. */
function lessonsOf(
  { values }: StepContext,
  { from }: DistillParameters,
): readonly (Lesson & { sample: number })[] {
  const scoreOfExperience = scoresOf(values);
  return values.experiences.flatMap((experience: Experience) => {
    const { task, solution } = experience;
    if (task.split === 'dev' || task.split === 'test')
      throw new SealedTaskError(`A ${task.split} task reached distill; nothing was learnt from it.`);
    const score = scoreOfExperience(experience);
    if (score === null || solution.failure !== null) return [];
    const verdict = values.refinements.get(solution.id)?.verdict;
    // What was selected is a success even without full score: a vote rarely is unanimous. One right solution too many is neither.
    const passed = verdict === undefined ? score >= 1 : verdict !== 'dropped';
    if (!passed && score >= 1) return [];
    if (from !== 'both' && passed !== (from === 'successes')) return [];
    return [
      {
        task,
        solutionId: solution.id,
        output: solution.output,
        passed,
        said: saidOf(values, experience),
        sample: solution.sample,
      },
    ];
  });
}

interface Unit {
  readonly item: string;
  readonly sample: number;
  readonly lessons: readonly Lesson[];
}

function unitsOf(
  lessons: readonly (Lesson & { sample: number })[],
  { unit, size }: DistillParameters,
): readonly Unit[] {
  switch (unit) {
    case 'item':
      return lessons.map((lesson) => ({ item: lesson.task.id, sample: lesson.sample, lessons: [lesson] }));
    case 'task':
      return [...Map.groupBy(lessons, ({ task }) => task.id)].map(([item, group]) => ({
        item,
        sample: 0,
        lessons: group,
      }));
    case 'batch':
      return Array.from({ length: Math.ceil(lessons.length / size) }, (_, index) => ({
        item: `batch ${index + 1}`,
        sample: 0,
        lessons: lessons.slice(index * size, (index + 1) * size),
      }));
  }
}

function demonstration({ lessons }: Unit, round: number): readonly Knowledge[] {
  const best = lessons
    .filter(({ passed }) => passed)
    .toSorted((a, b) => a.output.length - b.output.length)[0];
  if (best === undefined) return [];
  const text = `${best.task.input}\n${best.output}`;
  return [
    {
      id: knowledgeId('demonstration', text),
      form: 'demonstration',
      text,
      helpful: 0,
      harmful: 0,
      lastRound: round,
      from: [best.solutionId],
    },
  ];
}

function distilled(
  { values }: StepContext,
  items: readonly (readonly Knowledge[])[],
  refused: number,
  { form }: DistillParameters,
): StepResult {
  const byId = new Map<string, Knowledge>();
  for (const item of items.flat()) {
    const known = byId.get(item.id);
    byId.set(
      item.id,
      known === undefined ? item : { ...known, from: [...new Set([...known.from, ...item.from])] },
    );
  }
  const knowledge = [...byId.values()];
  return {
    values: { knowledge: [...values.knowledge.filter(({ id }) => !byId.has(id)), ...knowledge] },
    events: [
      {
        kind: 'knowledgeDistilled',
        form,
        count: knowledge.length,
        refused,
        digest: hashOf(knowledge.map(({ id }) => id)),
      },
    ],
  };
}
