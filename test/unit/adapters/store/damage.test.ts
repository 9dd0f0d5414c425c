import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../../../src/adapters/store/database.ts';
import { createStore, type FileStore } from '../../../../src/adapters/store/localStore.ts';
import { isSealed, PAGE_BYTES, sealPage } from '../../../../src/adapters/store/pages.ts';
import { stream } from '../../../../src/core/measure/random.ts';
import { asId, type ContentHash } from '../../../../src/core/model/ids.ts';
import { StoreError } from '../../../../src/core/ports.ts';
import {
  accepted,
  begun,
  evaluated,
  event,
  inFolder,
  place,
  runId,
  sampleCandidate,
  sampleEffect,
  sampleEvaluation,
  sampleFeedback,
  sampleRefinement,
  sampleSolution,
  sampleTask,
  solve,
  unsynced,
  wasm,
} from './samples.ts';

const open = async (file: string): Promise<FileStore> =>
  createStore(await openDatabase({ file, wasm, files: unsynced }));

const BLOB = new TextEncoder().encode('MARK-blob '.repeat(600));

/** A closed store that has a text "MARK-x" in every column that holds what people or models wrote. */
async function makeMarked(file: string): Promise<ContentHash> {
  const store = await open(file);
  await begun(store);
  const key = asId<never>('key');
  await store.commit({
    runId,
    events: [
      event(solve, { kind: 'warningRaised', message: 'MARK-event' }),
      event(place(1, 'dev'), evaluated('e1', 'c1', 0.5)),
      event(place(1, 'gate'), accepted('c1')),
    ],
    tasks: [
      {
        ...sampleTask(1),
        id: asId('marked'),
        input: 'MARK-input',
        context: 'MARK-context',
        reference: 'MARK-reference',
      },
    ],
    candidates: [
      {
        ...sampleCandidate('c1', place(1, 'train')),
        state: { model: 'pocket', instruction: 'MARK-instruction', weights: null },
        note: 'MARK-note',
      },
    ],
    solutions: [{ ...sampleSolution('s0', 'marked', solve, 'MARK-output'), answer: 'MARK-answer', key }],
    feedback: [{ ...sampleFeedback('s0', 1), by: 'MARK-by', reason: 'MARK-why' }],
    refinements: [{ ...sampleRefinement('s0', 'kept'), reason: 'MARK-verdict' }],
    evaluations: [
      {
        ...sampleEvaluation('e1', 'c1', place(1, 'dev'), [0.5]),
        scores: [{ taskId: asId('marked'), score: 0.5, output: 'MARK-scored' }],
      },
    ],
  });
  await store.annotate({
    key,
    solutionId: asId('s0'),
    verdict: null,
    score: 1,
    note: 'MARK-judged',
    time: 1,
  });
  await store.settleEffects(runId, [sampleEffect('k1', solve, 'MARK-result')]);
  const blob = await store.put(BLOB);
  // A second evaluation, so that the first one's outputs are shown as changed.
  await store.commit({
    runId,
    events: [],
    evaluations: [
      {
        ...sampleEvaluation('e2', 'c1', place(2, 'dev'), [1]),
        scores: [{ taskId: asId('marked'), score: 1, output: 'right' }],
      },
    ],
  });
  await store.close();
  return blob;
}

/** Everything the store shows; a part that fails is its error. */
async function everything(file: string, blob: ContentHash): Promise<readonly unknown[]> {
  const store = await open(file);
  const parts = await Promise.allSettled([
    store.runs(),
    store.run(runId),
    store.events(runId, 0, 100),
    store.experienceCounts(runId),
    store.experiences({ runId }, null, 100),
    store.experience(asId('s0')),
    store.candidates(runId),
    store.candidate(asId('c1')),
    store.evaluations(runId),
    store.evaluation(asId('e2')),
    store.findEffects(runId, [asId('k1')]),
    store.spent(runId),
    store.annotations(),
    store.get(blob),
  ]);
  await store.close();
  return parts.map((part): unknown => (part.status === 'fulfilled' ? part.value : part.reason));
}

/** Shows only what was stored, or errors that name the file; returns how many parts were refused. */
function checkShown(
  shown: readonly unknown[],
  whole: readonly unknown[],
  file: string,
  what: string,
): number {
  let refused = 0;
  for (const [index, part] of shown.entries()) {
    if (part instanceof Error) {
      expect(part, what).toBeInstanceOf(StoreError);
      expect(part.message, what).toContain(file);
      refused++;
    } else expect(part, what).toEqual(whole[index]);
  }
  return refused;
}

function flip(bytes: Buffer, at: number, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

/** Makes the page's seal fit its changed content: damage done before the page was written. */
function reseal(bytes: Buffer, at: number): Buffer {
  const page = Math.floor(at / PAGE_BYTES);
  sealPage(bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES), page + 1);
  return bytes;
}

/** Where the texts lie; of the blob, which says its mark 600 times, the first place. */
function marks(bytes: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf('MARK-'); at >= 0; at = bytes.indexOf('MARK-', at + 1))
    if (
      at === bytes.indexOf('MARK-blob') ||
      !bytes.subarray(at).toString('utf8', 0, 9).startsWith('MARK-blob')
    )
      found.push(at);
  return found;
}

describe('a flipped bit', () => {
  test(
    'in any text is an error that names the row, never another text',
    () =>
      inFolder(async (folder) => {
        const file = `${folder}/workspace.ratchetdb`;
        const blob = await makeMarked(file);
        const bytes = readFileSync(file);
        const whole = await everything(file, blob);
        writeFileSync(file, bytes);
        const places = marks(bytes);
        expect(places.length).toBeGreaterThan(15);
        const named: string[] = [];
        // The blob says MARK 600 times; its first places stand for all.
        for (const at of places.slice(0, 40)) {
          writeFileSync(file, reseal(flip(bytes, at + 2, 0), at));
          const shown = await everything(file, blob);
          expect(checkShown(shown, whole, file, `byte ${at}`)).toBeGreaterThan(0);
          named.push(...shown.filter((part) => part instanceof Error).map((part) => part.message));
          const store = await open(file);
          const { ok, problems } = await store.verify();
          expect(ok).toBe(false);
          expect(problems[0]).toContain('is damaged');
          await store.close();
        }
        for (const row of [
          'task marked',
          'solution s0',
          'candidate c1',
          'effect k1',
          'evaluation e1',
          'annotation',
          'blob',
        ])
          expect(named.join('\n')).toContain(row);
      }),
    60_000,
  );

  test(
    'anywhere in the file is refused at opening, on reading, or harms nothing that is shown',
    () =>
      inFolder(async (folder) => {
        const file = `${folder}/workspace.ratchetdb`;
        const blob = await makeMarked(file);
        const bytes = readFileSync(file);
        const whole = await everything(file, blob);
        const random = stream(1, 'damage');
        const outcomes = { refusedAtOpening: 0, refusedOnReading: 0, notMet: 0 };
        for (let made = 0; made < 120; made++) {
          const at = random.int(bytes.length);
          writeFileSync(file, flip(bytes, at, random.int(8)));
          const page = Math.floor(at / PAGE_BYTES);
          const damaged = readFileSync(file).subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
          expect(isSealed(damaged, page + 1)).toBe(false);
          const shown = await everything(file, blob).catch((error: unknown) => error);
          if (!Array.isArray(shown)) {
            expect(shown).toBeInstanceOf(StoreError);
            outcomes.refusedAtOpening++;
          } else if (checkShown(shown as unknown[], whole, file, `byte ${at}`) > 0)
            outcomes.refusedOnReading++;
          else outcomes.notMet++;
        }
        expect(outcomes.refusedAtOpening).toBeGreaterThan(0);
        expect(outcomes.refusedOnReading).toBeGreaterThan(20);
      }),
    60_000,
  );

  test(
    'in a page that is not shown is found by a full check',
    () =>
      inFolder(async (folder) => {
        const file = `${folder}/workspace.ratchetdb`;
        await makeMarked(file);
        const bytes = readFileSync(file);
        for (let page = 1; page < bytes.length / PAGE_BYTES; page++) {
          writeFileSync(file, flip(bytes, page * PAGE_BYTES + 4000, 3));
          const found = await open(file).then(
            async (store) => {
              const { ok } = await store.verify();
              await store.close();
              return !ok;
            },
            () => true,
          );
          expect(found, `page ${page + 1}`).toBe(true);
        }
      }),
    60_000,
  );
});

describe('the seal of a page', () => {
  test('fits one content at one place', () => {
    const page = new Uint8Array(PAGE_BYTES).map((_, index) => index);
    expect(isSealed(page, 5)).toBe(false);
    sealPage(page, 5);
    expect(isSealed(page, 5)).toBe(true);
    expect(isSealed(page, 6)).toBe(false);
    page[17] = 0;
    expect(isSealed(page, 5)).toBe(false);
    expect(isSealed(new Uint8Array(PAGE_BYTES), 5)).toBe(true);
  });
});
