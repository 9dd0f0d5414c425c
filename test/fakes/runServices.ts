/** The services of a run in tests: everything in memory, a clock that only moves when told. */
import type { RunProgress, StoredEvent } from '../../src/core/model/event.ts';
import type { Task } from '../../src/core/model/task.ts';
import { taskId } from '../../src/core/measure/identity.ts';
import { ProviderError, type LoadedTasks } from '../../src/core/ports.ts';
import type { RunControl, RunServices } from '../../src/core/loop/services.ts';
import { memoryStore, type MemoryStore } from './memoryStore.ts';
import { toyLearner, type Toy, type ToyOptions } from './toyLearner.ts';

export interface TestRun {
  readonly services: RunServices;
  readonly store: MemoryStore;
  readonly toy: Toy;
  readonly control: RunControl;
  readonly told: StoredEvent[];
  readonly progress: RunProgress[];
  readonly logged: unknown[];
  /** Data sets written, by file. */
  readonly exported: ReadonlyMap<string, string>;
}

export interface TestRunOptions extends ToyOptions {
  readonly store?: MemoryStore;
  readonly files?: Readonly<Record<string, LoadedTasks>>;
  readonly onProgress?: (progress: RunProgress, control: RunControl) => void;
  readonly now?: () => number;
}

export function testRun(options: TestRunOptions = {}): TestRun {
  const store = options.store ?? memoryStore();
  const toy = toyLearner(store, options);
  const control: RunControl = { aborted: false, reason: null };
  const told: StoredEvent[] = [];
  const progress: RunProgress[] = [];
  const logged: unknown[] = [];
  const exported = new Map<string, string>();
  const services: RunServices = {
    store,
    model: (provider) => {
      if (provider !== 'toy') throw new ProviderError(`There is no provider "${provider}".`);
      return toy.model;
    },
    trainer: (provider) => (provider === 'toy' ? toy.trainer : null),
    files: {
      async load(file, split) {
        const loaded = options.files?.[file] ?? { tasks: [], skipped: [] };
        return { ...loaded, tasks: loaded.tasks.map((task) => ({ ...task, split })) };
      },
    },
    exports: {
      write: async (file, text) => {
        exported.set(file, text);
      },
    },
    clock: { now: () => 1_000, monotonic: options.now ?? (() => 0) },
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: (message, detail) => logged.push([message, detail]),
    },
    onEvents: (events) => told.push(...events),
    onProgress: (item) => {
      progress.push(item);
      options.onProgress?.(item, control);
    },
  };
  return { services, store, toy, control, told, progress, logged, exported };
}

export function additionTask(a: number, b: number, split: Task['split'] = 'train'): Task {
  const content = { input: `${a}+${b}`, reference: String(a + b) };
  return { id: taskId(content), split, ...content };
}
