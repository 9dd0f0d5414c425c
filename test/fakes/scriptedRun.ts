/**
 * Whole runs over scripted models: begun, paused after any call, resumed, and compared as law 6 compares them.
 * Deliberately a model sees nothing but its request; what a run made is read from the store it wrote.
 */
import { expect } from 'vitest';
import { beginRun, resumeRun } from '../../src/core/loop/execute.ts';
import type { RunEnd } from '../../src/core/loop/services.ts';
import { taskId } from '../../src/core/measure/identity.ts';
import type { RunEventKind, StoredEvent } from '../../src/core/model/event.ts';
import type { RunId } from '../../src/core/model/ids.ts';
import type { Task } from '../../src/core/model/task.ts';
import {
  ProviderError,
  type LanguageModel,
  type ModelRequest,
  type Trainer,
  type TrainingJob,
} from '../../src/core/ports.ts';
import { comparableEvents } from './comparableEvents.ts';
import type { MemoryStore } from './memoryStore.ts';
import { testRun, type TestRun } from './runServices.ts';
import { scriptedModel, type Script } from './scriptedModel.ts';

export interface Scene {
  readonly recipe: string;
  /** A model for each provider the recipe names. */
  readonly models: Readonly<Record<string, Script['answer']>>;
  readonly files: Readonly<Record<string, readonly Task[]>>;
  /** What else a provider can do: embeddings, log-probabilities. */
  readonly abilities?: Readonly<Record<string, Pick<LanguageModel, 'embedder' | 'givesLogprobs'>>>;
}

export interface Pace {
  readonly batchSize?: number;
  readonly orderSeed?: number | null;
  /** The person pauses after so many calls. */
  readonly pauseAfter?: number;
  readonly store?: MemoryStore;
  /** Resumes this run of the store instead of beginning one. */
  readonly resume?: RunId;
}

export interface Played extends TestRun {
  readonly runId: RunId;
  readonly end: RunEnd;
  /** Every request of every model, in the order of answering. */
  readonly requests: readonly (ModelRequest & { readonly by: string })[];
  /** Every training. */
  readonly jobs: readonly TrainingJob[];
}

export function task(input: string, reference?: string, more: Partial<Pick<Task, 'context'>> = {}): Task {
  const content = { input, ...(reference === undefined ? {} : { reference }), ...more };
  return { id: taskId(content), split: 'train', ...content };
}

/** What was said to the model, all of it. */
export function prompt({ messages }: ModelRequest): string {
  return messages.map(({ content }) => content).join('\n');
}

export async function play(scene: Scene, pace: Pace = {}): Promise<Played> {
  const files = Object.fromEntries(
    Object.entries(scene.files).map(([name, tasks]) => [name, { tasks, skipped: [] }]),
  );
  const test = testRun({ files, ...(pace.store === undefined ? {} : { store: pace.store }) });
  const requests: Played['requests'][number][] = [];
  const jobs: TrainingJob[] = [];
  const models = new Map(
    Object.entries(scene.models).map(([name, answer]) => [
      name,
      Object.assign(
        scriptedModel({
          name,
          ...(pace.batchSize === undefined ? {} : { batchSize: pace.batchSize }),
          ...(pace.orderSeed === undefined ? {} : { orderSeed: pace.orderSeed }),
          answer: (request) => {
            requests.push({ ...request, by: name });
            if (requests.length === pace.pauseAfter)
              Object.assign(test.control, { aborted: true, reason: 'pause' });
            return answer(request);
          },
        }),
        scene.abilities?.[name],
      ),
    ]),
  );
  const trainer: Trainer = {
    async train(job) {
      jobs.push(job);
      const bytes = new TextEncoder().encode(JSON.stringify(job.data));
      return { weights: await test.store.put(bytes), loss: 0.5, steps: 1 };
    },
  };
  const services = {
    ...test.services,
    model: (name: string) => {
      const model = models.get(name);
      if (model === undefined) throw new ProviderError(`There is no provider "${name}".`);
      return model;
    },
    trainer: () => trainer,
  };
  const request = { recipePath: 'a.loop.yaml', recipeText: scene.recipe };
  const begun =
    pace.resume === undefined
      ? await beginRun(request, services, test.control)
      : await resumeRun({ runId: pace.resume, recipeText: scene.recipe, seed: 1 }, services, test.control);
  const { runId } = begun;
  return { ...test, services, runId, end: await begun.end, requests, jobs };
}

export function eventsOf<Kind extends RunEventKind>(events: readonly StoredEvent[], kind: Kind) {
  return events.flatMap(({ event }) =>
    event.kind === kind ? [event as Extract<StoredEvent['event'], { kind: Kind }>] : [],
  );
}

/** Law 6: the same events in any batches and order, and for a run paused at some calls and resumed, at no call more. */
export async function expectSameAtAnyPace(scene: Scene, pauses = 3): Promise<Played> {
  const whole = await play(scene);
  expect(whole.end).toMatchObject({ kind: 'done' });
  const reference = comparableEvents(whole.store.events);
  const other = await play(scene, { batchSize: 1, orderSeed: null });
  expect(comparableEvents(other.store.events)).toEqual(reference);
  const calls = whole.requests.length;
  for (let index = 1; index <= pauses; index++) {
    const pauseAfter = Math.max(1, Math.floor((calls * index) / (pauses + 1)));
    const first = await play(scene, { pauseAfter });
    expect(first.end.kind).toBe('paused');
    const rest = await play(scene, { store: first.store, resume: first.runId, batchSize: 3 });
    expect(rest.end.kind).toBe('done');
    expect(comparableEvents(first.store.events)).toEqual(reference);
    expect(first.requests.length + rest.requests.length).toBe(calls);
  }
  return whole;
}
