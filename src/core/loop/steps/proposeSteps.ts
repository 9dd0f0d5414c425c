/** Owns how `propose` runs inside a round. Deliberately takes no task a suite holds, and grades nothing (law 2). */
import {
  proposeMessages,
  readProposals,
  takeNew,
  type ProposeOptions,
  type Seed,
} from '../../acquire/propose.ts';
import { hashOf } from '../../measure/hash.ts';
import { pick, shuffle, stream, streamSeed } from '../../measure/random.ts';
import type { EventBody } from '../../model/event.ts';
import type { Task } from '../../model/task.ts';
import type { ProposeParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { byTask, scoresOf } from './attempts.ts';
import { confirmChallenges, type Challenges } from './challengeSteps.ts';
import { saidOf } from './framing.ts';

export async function proposeStep(context: StepContext, parameters: ProposeParameters): Promise<StepResult> {
  const { run, at, arm, values } = context;
  const options: ProposeOptions = {
    ability: run.recipe.objective.ability,
    focus: arm.aim.focus,
    each: parameters.each,
    reference: parameters.reference,
  };
  const seeds = seedsOf(context, parameters);
  const calls = seeds.map(({ item, sample, seed }) => ({
    item,
    sample,
    input: '',
    request: {
      messages: proposeMessages(seed, options),
      temperature: parameters.temperature,
      maxTokens: parameters.maxTokens,
      seed: streamSeed(run.seed, at.step, at.round, item, sample),
      weights: arm.inUse.state.weights,
    },
  }));
  const answers = await context.ask(at.round, calls);
  const proposals = answers.flatMap((answer, index) => {
    const seed = seeds[index]?.seed;
    return answer.ok && seed !== undefined ? readProposals(answer.text, seed, options, parameters.hide) : [];
  });
  const {
    tasks: fresh,
    known,
    sealed,
  } = takeNew(
    proposals,
    [...values.tasks, ...arm.proposed],
    [...run.sets.dev, ...run.sets.test, ...run.sets.regression, ...run.sets.canary],
  );
  const challenges =
    parameters.source === 'selfChallenging' ? await confirmChallenges(context, fresh, parameters) : null;
  const tasks = challenges?.tasks ?? fresh;
  const failed = answers.filter(({ ok }) => !ok).length;
  const events: EventBody[] = [
    { kind: 'tasksAcquired', split: 'train', count: tasks.length, digest: hashOf(tasks.map(({ id }) => id)) },
    ...remarks({ failed, known, sealed, calls: calls.length, tasks: tasks.length, challenges }),
  ];
  return {
    values: {
      tasks: parameters.into === 'replace' ? tasks : [...values.tasks, ...tasks],
      ...(challenges === null ? {} : { taskScores: new Map([...values.taskScores, ...challenges.scores]) }),
    },
    arm: { proposed: [...arm.proposed, ...tasks] },
    events,
    rows: { tasks },
  };
}

function remarks(found: {
  failed: number;
  known: number;
  sealed: number;
  calls: number;
  tasks: number;
  challenges: Challenges | null;
}): EventBody[] {
  const { failed, known, sealed, calls, tasks, challenges } = found;
  const { uncheckable, unconfirmed } = challenges ?? { uncheckable: 0, unconfirmed: 0 };
  const said = [
    ...(failed > 0 ? [`${failed} of ${calls} calls failed`] : []),
    ...(known > 0 ? [`${known} proposed tasks were there already`] : []),
    ...(sealed > 0 ? [`${sealed} proposed tasks are in a sealed suite and were not taken`] : []),
    ...(uncheckable > 0 ? [`${uncheckable} had answers that cannot be checked`] : []),
    ...(unconfirmed > 0 ? [`${unconfirmed} had answers that independent solves did not confirm`] : []),
    ...(tasks === 0 && uncheckable + unconfirmed === 0
      ? ['no new task was proposed: replies held none that could be read']
      : []),
  ];
  return said.length === 0 ? [] : [{ kind: 'warningRaised', message: `${said.join('; ')}.` }];
}

interface PlacedSeed {
  readonly item: string;
  readonly sample: number;
  readonly seed: Seed;
}

function seedsOf(context: StepContext, parameters: ProposeParameters): readonly PlacedSeed[] {
  const { run, at, arm, values } = context;
  const repeated = (item: string, make: (sample: number) => Seed): PlacedSeed[] =>
    Array.from({ length: parameters.n }, (_, sample) => ({ item, sample, seed: make(sample) }));
  const random = (...name: readonly (string | number)[]) => stream(run.seed, at.step, at.round, ...name);
  switch (parameters.source) {
    case 'pool':
      return repeated('pool', (sample) => ({
        kind: 'pool',
        shots: shotsOf(values.tasks, arm.proposed, parameters, random('shots', sample)),
      }));
    case 'parent':
      return values.tasks.flatMap((task) =>
        repeated(task.id, (sample) => ({
          kind: 'parent',
          task,
          mode: pick(random('mode', task.id, sample), parameters.modes),
          addWords: parameters.addWords,
        })),
      );
    case 'document': {
      const documents = [
        ...new Set(values.tasks.flatMap(({ context: text }) => (text === undefined ? [] : [text]))),
      ];
      return documents.flatMap((document) =>
        repeated(hashOf(document).slice(0, 32), () => ({ kind: 'document', document })),
      );
    }
    case 'topic':
      return [...parameters.topics, ...arm.aim.focus].flatMap((topic) =>
        repeated(topic, () => ({ kind: 'topic', topic })),
      );
    case 'failures':
      return failuresOf(context).flatMap(({ task, output, said }) =>
        repeated(task.id, () => ({ kind: 'failure', task, output, said })),
      );
    case 'empty':
      return repeated('empty', () => ({ kind: 'empty' }));
    case 'selfChallenging':
      return repeated('challenge', (sample) => ({
        kind: 'challenge',
        made: shuffle(random('made', sample), arm.proposed).slice(0, parameters.shots.made),
      }));
  }
}

/** Tasks shown: the data's own and those made earlier, drawn for this call. */
function shotsOf(
  own: readonly Task[],
  made: readonly Task[],
  { shots }: ProposeParameters,
  random: Parameters<typeof pick>[0],
): readonly Task[] {
  const proposed = new Set(made.map(({ id }) => id));
  const data = own.filter(({ id }) => !proposed.has(id));
  return shuffle(random, [
    ...shuffle(random, data).slice(0, shots.own),
    ...shuffle(random, made).slice(0, shots.made),
  ]);
}

/** Train tasks whose newest solutions all miss, with the newest of them. */
function failuresOf({ values }: StepContext): readonly { task: Task; output: string; said: string }[] {
  const scoreOf = scoresOf(values);
  return [...byTask(values).values()].flatMap((group) => {
    const newest = group.at(-1);
    const missed = group.every((experience) => {
      const score = scoreOf(experience);
      return score !== null && score < 1;
    });
    return newest === undefined || !missed
      ? []
      : [{ task: newest.task, output: newest.solution.output, said: saidOf(values, newest) }];
  });
}
