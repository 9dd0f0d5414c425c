/**
 * Owns a run as one self-contained thing: recipe, ledger, tasks and weights, and running it again from them alone, with no
 * model, no file and no network. Deliberately knows no file format: that is adapters/datasets/bundleFile.ts.
 */
import type { FileOptions } from '../model/dataset.ts';
import type { StoredEvent } from '../model/event.ts';
import type { ContentHash } from '../model/ids.ts';
import type { Split } from '../model/task.ts';
import type { EffectRecord } from '../model/effect.ts';
import {
  type Clock,
  DataError,
  type FormerExperience,
  type FormerExperiences,
  type LanguageModel,
  type LoadedTasks,
  type NewRun,
  ProviderError,
  type TaskFiles,
  type Trainer,
} from '../ports.ts';
import { resumeRun } from './execute.ts';
import type { Session } from './journal.ts';
import { parseRecipe } from './parseRecipe.ts';
import { isQuestion } from './question.ts';
import { eventsHash, nowhere, scratchStore } from './scratchStore.ts';
import type { RunEnd } from './services.ts';

export interface Bundle {
  readonly run: NewRun;
  /** In the order they were settled. */
  readonly effects: readonly EffectRecord[];
  /** What each reading of data gave, by the question. */
  readonly data: readonly BundledData[];
  /** Weights that training made. */
  readonly blobs: readonly { readonly hash: ContentHash; readonly bytes: Uint8Array }[];
  /** Of the run's events (scratchStore.ts, eventsHash). */
  readonly eventsHash: string;
}

export interface BundledData {
  readonly question: string;
  readonly tasks: LoadedTasks | null;
  readonly experiences: readonly FormerExperience[] | null;
}

export interface Replayed {
  readonly end: RunEnd;
  /** Calls the ledger had no answer to; 0 where it is whole. */
  readonly calls: number;
  readonly events: readonly StoredEvent[];
  readonly eventsHash: string;
  /** Whether its events are those of the run that was bundled. */
  readonly same: boolean;
}

const questionOf = (...parts: readonly unknown[]): string => JSON.stringify(parts);

/** Reads as `files` does and keeps what was read. */
export function recordingFiles(files: TaskFiles): {
  readonly files: TaskFiles;
  readonly data: readonly BundledData[];
} {
  const data: BundledData[] = [];
  const experiences = files.experiences?.bind(files);
  const recorded: TaskFiles = {
    async load(file: string, split: Split, options?: FileOptions) {
      const tasks = await files.load(file, split, options);
      data.push({ question: questionOf('load', file, split, options ?? null), tasks, experiences: null });
      return tasks;
    },
    ...(experiences === undefined
      ? {}
      : {
          async experiences(wanted: FormerExperiences) {
            const found = await experiences(wanted);
            data.push({ question: questionOf('experiences', wanted), tasks: null, experiences: found });
            return found;
          },
        }),
  };
  return { files: recorded, data };
}

function bundledFiles(data: readonly BundledData[]): TaskFiles {
  const find = (question: string): BundledData => {
    const found = data.find((item) => item.question === question);
    if (found === undefined) throw new DataError('The bundle does not hold this data.');
    return found;
  };
  return {
    load: async (file, split, options) =>
      find(questionOf('load', file, split, options ?? null)).tasks ?? { tasks: [], skipped: [] },
    experiences: async (wanted) => find(questionOf('experiences', wanted)).experiences ?? [],
  };
}

/** A model that only has a name and a price: what the ledger has no answer to is counted and refused. */
function silentModel(
  { model, price }: Pick<Session, 'model' | 'price'>,
  counted: { calls: number },
): LanguageModel {
  const end = (calls: number): never => {
    counted.calls += calls;
    throw new ProviderError('The bundle ends here: it has no answer to the next call.');
  };
  return {
    name: model,
    price,
    embedder: {
      name: model,
      price,
      async *embed({ size }) {
        end(size);
      },
    },
    givesLogprobs: true,
    async *generate({ length }) {
      end(length);
    },
  };
}

const untrained: Trainer = {
  train: async () => {
    throw new ProviderError('The bundle ends here: it does not hold what the next training made.');
  },
};

/** Runs it again over its own ledger. Throws ChangedError where this engine would decide otherwise. */
export async function replayBundle(bundle: Bundle, clock: Clock): Promise<Replayed> {
  const { run, effects, data } = bundle;
  const store = scratchStore(effects.filter((record) => !isQuestion(record)));
  const first = effects.find(({ kind }) => kind === 'session');
  if (first === undefined) throw new DataError('The bundle holds no session of its run.');
  const session = JSON.parse(first.result) as Session;
  const main = parseRecipe(run.recipeText).recipe?.model;
  const counted = { calls: 0 };
  // Another model than the run's own, such as a judge, is named as the recipe names it.
  const model = (provider: string) =>
    silentModel(provider === main ? session : { model: provider, price: null }, counted);
  const services = {
    store,
    model,
    trainer: () => untrained,
    files: bundledFiles(data),
    exports: nowhere,
    clock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onEvents: () => undefined,
    onProgress: () => undefined,
  };
  const request = { runId: run.id, recipeText: run.recipeText, seed: run.seed };
  const { end } = await resumeRun(request, services, { aborted: false, reason: null });
  const ended = await end;
  const hash = eventsHash(store.events);
  return {
    end: ended,
    calls: counted.calls,
    events: store.events,
    eventsHash: hash,
    same: hash === bundle.eventsHash,
  };
}
