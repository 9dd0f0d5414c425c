/** What a task has beside its texts: choices, tests and the function they call come back wherever the task is read. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileStore } from '../../../../src/adapters/store/localStore.ts';
import { asId, type EvaluationId } from '../../../../src/core/model/ids.ts';
import type { Task } from '../../../../src/core/model/task.ts';
import { fc } from './property.ts';
import {
  begun,
  evaluated,
  event,
  inFolder,
  place,
  runId,
  sampleEvaluation,
  sampleSolution,
  sampleTask,
  solve,
  withStore,
} from './samples.ts';

const words = fc.string({ unit: 'binary', maxLength: 20 });
const details = fc.record(
  { choices: fc.array(words, { maxLength: 4 }), tests: words, entryPoint: words },
  { requiredKeys: [] },
);

/** Commits the tasks, a solution of each, and two evaluations that differ in all of them. */
async function keep(store: FileStore, tasks: readonly Task[]): Promise<void> {
  await begun(store);
  const solutions = tasks.map(({ id }) => sampleSolution(`of ${id}`, id, solve));
  await store.commit({ runId, events: [], tasks, solutions });
  for (const [index, score] of [0, 1].entries()) {
    const at = place(1 + index, 'dev');
    const scores = tasks.map(({ id }) => ({ taskId: id, score, output: `${score}` }));
    const evaluation = { ...sampleEvaluation(`e${index}`, 'start', at, []), scores, mean: score };
    await store.commit({
      runId,
      events: [event(at, evaluated(`e${index}`, 'start', score))],
      evaluations: [evaluation],
    });
  }
  const [first] = solutions;
  if (first === undefined) return;
  const { key, id: solutionId } = first;
  await store.annotate({ key, solutionId, verdict: 'accept', score: null, note: '', time: 1 });
}

/** The tasks as each view shows them. */
async function shown(store: FileStore, tasks: readonly Task[]) {
  const detail = await Promise.all(tasks.map(({ id }) => store.experience(asId(`of ${id}`))));
  const evaluation = await store.evaluation(asId<EvaluationId>('e1'));
  return {
    experiences: detail.map((found) => found?.task),
    evaluation: evaluation?.changed.map(({ task }) => task),
    annotations: (await store.annotations()).map(({ task }) => task),
  };
}

describe('details of tasks', () => {
  test('come back from every view, and from a workspace that was exported and imported', () =>
    fc.assert(
      fc.asyncProperty(fc.array(details, { minLength: 1, maxLength: 4 }), (some) =>
        inFolder((folder) =>
          withStore((from) =>
            withStore(async (to) => {
              const tasks = some.map((own, index) => ({ ...sampleTask(100 + index), ...own }));
              await keep(from, tasks);
              const whole = { experiences: tasks, evaluation: tasks, annotations: tasks.slice(0, 1) };
              expect(await shown(from, tasks)).toEqual(whole);
              const { items } = await from.experiences({ runId }, null, 10);
              expect(items.map(({ input }) => input)).toEqual(tasks.map(({ input }) => input));
              const file = path.join(folder, 'all.sqlite');
              await from.exportTo(file);
              await to.importFrom(file);
              expect(await shown(to, tasks)).toEqual(whole);
              for (const store of [from, to]) expect((await store.verify()).problems).toEqual([]);
            }),
          ),
        ),
      ),
      { numRuns: 5 },
    ));

  test('that an earlier version did not keep are added when the task comes again; what is kept never changes', () =>
    withStore(async (store) => {
      const plain = sampleTask(100);
      const whole = { ...plain, choices: ['101', '102'], tests: 'assert', entryPoint: 'add' };
      await keep(store, [plain]);
      const commit = (task: Task) => store.commit({ runId, events: [], tasks: [task] });
      await commit({ ...whole, input: 'another text' });
      expect((await shown(store, [plain])).experiences).toEqual([plain]);
      await commit(whole);
      await commit({ ...whole, tests: 'another' });
      await commit(plain);
      expect((await shown(store, [plain])).experiences).toEqual([whole]);
      expect((await store.verify()).problems).toEqual([]);
    }));
});
