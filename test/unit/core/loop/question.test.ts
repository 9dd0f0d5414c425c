/** A question to a person: whatever moment a process dies at, no run goes on by a yes that nobody gave. */
import { expect, test } from 'vitest';
import { beginRun, resumeRun } from '../../../../src/core/loop/execute.ts';
import { estimateRun } from '../../../../src/core/loop/estimate.ts';
import { parseRecipe } from '../../../../src/core/loop/parseRecipe.ts';
import type { RunEnd } from '../../../../src/core/loop/services.ts';
import type { RunId } from '../../../../src/core/model/ids.ts';
import { StoreError } from '../../../../src/core/ports.ts';
import { everything, files, recipe } from '../../../fakes/doublingWorld.ts';
import { memoryStore, type MemoryStore } from '../../../fakes/memoryStore.ts';
import { testRun } from '../../../fakes/runServices.ts';
import { scriptedModel } from '../../../fakes/scriptedModel.ts';

const text = recipe(
  `
  - evaluate: { suite: dev }
  - retarget: { policy: weakness, autonomy: medium }
  - propose: { source: topic, n: 1 }
    as: proposed`,
  { rounds: 2 },
);
const loaded = Object.fromEntries(
  Object.entries(files).map(([name, tasks]) => [name, { tasks, skipped: [] }]),
);

/** One session; null where its store ended under it. */
async function session(store: MemoryStore, runId: RunId | null): Promise<RunEnd | null> {
  const { services, control } = testRun({ files: loaded, store });
  const own = { ...services, model: () => scriptedModel({ name: 'm', answer: everything }) };
  try {
    const begun =
      runId === null
        ? await beginRun({ recipePath: 'a.loop.yaml', recipeText: text }, own, control)
        : await resumeRun({ runId, recipeText: text, seed: 1 }, own, control);
    return await begun.end;
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

/** Changes a person is said to have agreed to, each with the pauses that were durable before it and asked for it. */
function agreed({ events }: MemoryStore): readonly number[] {
  return events.flatMap(({ event }, index) => {
    if (event.kind !== 'retargeted' || event.by !== 'person') return [];
    const asked = events
      .slice(0, index)
      .filter(({ event: before }) => before.kind === 'runPaused' && before.reason.includes(event.text));
    return [asked.length];
  });
}

test('a process killed at any write asks again or goes on by a yes that was given', async () => {
  const whole = memoryStore();
  let writes = 0;
  whole.beforeWrite = () => void (writes += 1);
  const first = await session(whole, null);
  expect(first).toMatchObject({ kind: 'paused' });
  const ofOneSession = writes;
  for (let kill = 2; kill <= ofOneSession; kill++) {
    const store = memoryStore();
    let left = kill;
    store.beforeWrite = () => {
      if ((left -= 1) < 0) throw new StoreError('The process was killed.');
    };
    let end = await session(store, null);
    const [runId] = store.runs.keys();
    if (runId === undefined) continue;
    for (let sessions = 0; end?.kind !== 'done'; sessions++) {
      expect(sessions).toBeLessThan(5);
      left = Infinity;
      end = await session(store, runId);
      expect(agreed(store).every((times) => times >= 1)).toBe(true);
    }
    expect(agreed(store)).toHaveLength(2);
  }
});

test('what a run would cost is counted as if its questions were agreed to', async () => {
  const { recipe: parsed } = parseRecipe(text);
  if (parsed === null) throw new Error('The recipe is wrong.');
  const { services } = testRun({ files: loaded });
  const history = { operators: new Map(), msPerCall: null };
  const asking = await estimateRun(parsed, services.files, null, history);
  const { recipe: free } = parseRecipe(text.replace('medium', 'high'));
  if (free === null) throw new Error('The recipe is wrong.');
  expect(asking.calls).toEqual((await estimateRun(free, services.files, null, history)).calls);
});
