/** Owns how `select` over tasks and over knowledge runs inside a round. Deliberately pure but for its named draws. */
import { kCenter } from '../../measure/diversity.ts';
import { hashOf } from '../../measure/hash.ts';
import { overlap } from '../../measure/overlap.ts';
import { shuffle, stream } from '../../measure/random.ts';
import { distinctOf, topOf } from '../../refine/selectMany.ts';
import { meets, parseKeepRule } from '../../refine/selectSolutions.ts';
import type { SelectKnowledgeParameters, SelectTasksParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';

export function selectTasksStep(context: StepContext, parameters: SelectTasksParameters): StepResult {
  const { values, arm } = context;
  const { tasks } = values;
  const indices = chosenTasks(context, parameters);
  const kept = indices.flatMap((index) => tasks[index] ?? []);
  const ids = new Set(kept.map(({ id }) => id));
  return {
    values: { tasks: kept, experiences: values.experiences.filter(({ task }) => ids.has(task.id)) },
    arm: { proposed: arm.proposed.filter(({ id }) => ids.has(id) || !tasks.some((task) => task.id === id)) },
    events: [
      {
        kind: 'tasksSelected',
        kept: kept.length,
        dropped: tasks.length - kept.length,
        reason: reasonOf(parameters, arm.aim.band),
        digest: hashOf(kept.map(({ id }) => id)),
      },
    ],
  };
}

function chosenTasks(
  { run, at, values, arm }: StepContext,
  parameters: SelectTasksParameters,
): readonly number[] {
  const { tasks } = values;
  const scores = tasks.map(({ id }) => values.taskScores.get(id)?.score ?? null);
  const where = (test: (score: number) => boolean) =>
    scores.flatMap((score, index) => (score !== null && test(score) ? [index] : []));
  const alike = (a: number, b: number) => overlap(tasks[a]?.input ?? '', tasks[b]?.input ?? '');
  switch (parameters.policy) {
    case 'threshold':
      return where((score) => meets(parseKeepRule(parameters.keep), score));
    case 'band': {
      const [low, high] = arm.aim.band ?? parameters.band;
      return where((score) => score >= low && score <= high);
    }
    case 'top':
      return topOf(scores, parameters.k);
    case 'distinct':
      return distinctOf(tasks.length, alike, parameters.maxOverlap);
    case 'kCenter':
      return kCenter(tasks.length, parameters.k, (a, b) => 1 - alike(a, b)).toSorted((a, b) => a - b);
    case 'sample': {
      const order = shuffle(
        stream(run.seed, at.step, at.round, 'sample'),
        tasks.map((_, index) => index),
      );
      return order.slice(0, parameters.k).sort((a, b) => a - b);
    }
  }
}

function reasonOf(parameters: SelectTasksParameters, aimed: readonly [number, number] | null): string {
  switch (parameters.policy) {
    case 'threshold':
      return `score ${parameters.keep.trim()}`;
    case 'band': {
      const [low, high] = aimed ?? parameters.band;
      return `solved ${low} to ${high} of the time`;
    }
    case 'top':
      return `the best ${parameters.k}`;
    case 'distinct':
      return `at most ${parameters.maxOverlap} alike`;
    case 'kCenter':
      return `the ${parameters.k} that cover the rest best`;
    case 'sample':
      return `${parameters.k} drawn`;
  }
}

export function selectKnowledgeStep(context: StepContext, parameters: SelectKnowledgeParameters): StepResult {
  const { knowledge } = context.values;
  const indices =
    parameters.policy === 'top'
      ? topOf(
          knowledge.map(({ helpful, harmful, from }) => helpful - harmful + from.length / 1000),
          parameters.k,
        )
      : distinctOf(
          knowledge.length,
          (a, b) => overlap(knowledge[a]?.text ?? '', knowledge[b]?.text ?? ''),
          parameters.maxOverlap,
        ).slice(0, parameters.k);
  const kept = indices.flatMap((index) => knowledge[index] ?? []);
  const form = kept[0]?.form ?? knowledge[0]?.form ?? 'rule';
  return {
    values: { knowledge: kept },
    events: [
      {
        kind: 'knowledgeDistilled',
        form,
        count: kept.length,
        refused: 0,
        digest: hashOf(kept.map(({ id }) => id)),
      },
    ],
  };
}
