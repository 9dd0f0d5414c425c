import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { additionInput, additionReference, drawAddition } from '../../../../src/core/acquire/addition.ts';
import { shuffle, stream } from '../../../../src/core/measure/random.ts';
import { asId } from '../../../../src/core/model/ids.ts';
import type { ContentHash } from '../../../../src/core/model/ids.ts';
import { ProviderError } from '../../../../src/core/ports.ts';
import type { LanguageModel, ModelAnswer, ModelRequest, TrainingJob } from '../../../../src/core/ports.ts';
import { openPocket } from '../../../../src/adapters/pocket/pocket.ts';
import type { Pocket } from '../../../../src/adapters/pocket/pocket.ts';
import { openPool } from '../../../../src/adapters/pocket/pool.ts';
import { memoryStore } from '../../../fakes/memoryStore.ts';
import { pocketFolder, pocketWorker } from './devices.ts';

const go = { aborted: false };
const blobs = memoryStore();
let pocket: Pocket;
beforeAll(() => {
  pocket = openPocket({ worker: pocketWorker, folder: pocketFolder });
});
afterAll(() => pocket.close());

function request(
  change: Partial<ModelRequest> & { readonly input?: string; readonly instruction?: string },
): ModelRequest {
  const { input = '12+34', instruction = '', ...rest } = change;
  return {
    messages: [
      { role: 'system', content: instruction },
      { role: 'user', content: input },
    ],
    temperature: 0,
    maxTokens: 64,
    seed: 1,
    weights: null,
    ...rest,
  };
}

async function answers(
  model: LanguageModel,
  requests: readonly ModelRequest[],
  stop = go,
): Promise<ModelAnswer[]> {
  const out: ModelAnswer[] = [];
  for await (const { index, answer } of model.generate(requests, stop)) out[index] = answer;
  return out;
}

const texts = (given: readonly ModelAnswer[]) =>
  given.map((answer) => (answer.ok ? answer.text : answer.reason));

const tinyJob: TrainingJob = {
  base: null,
  data: {
    form: 'sft',
    examples: [{ messages: request({}).messages, completion: '2+4+0=06,1+3+0=04>46' }],
  },
  replay: { share: 30, digits: [1, 2] },
  learningRate: 1e-3,
  epochs: 2,
  seed: 5,
};
const train = (job: TrainingJob, stop = go, over = pocket) =>
  over.over(blobs).trainer.train(job, stop, () => {});

/** A copy of the shipped files with one of them changed. */
async function withFolder<Result>(
  change: (folder: string) => void,
  use: (folder: string) => Promise<Result>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'pocket-'));
  try {
    cpSync(pocketFolder, folder, { recursive: true });
    change(folder);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('Pocket as a model', () => {
  it('adds, and says what it used', async () => {
    const { model } = pocket.over(blobs);
    expect(model.name).toMatch(/^pocket@[0-9a-f]{12}$/);
    const random = stream(1, 'dev');
    const problems = Array.from({ length: 40 }, () => drawAddition(random, 2, 'dev'));
    const given = await answers(
      model,
      problems.map((problem) =>
        request({ input: additionInput(problem), instruction: 'think step by step' }),
      ),
    );
    const right = given.filter((answer, i) => {
      const problem = problems[i] as (typeof problems)[number];
      return answer.ok && answer.finish === 'stop' && answer.text.endsWith(`>${additionReference(problem)}`);
    });
    expect(right.length).toBeGreaterThan(36);
    const [one] = await answers(model, [request({})]);
    // Start, instruction's end, question, five characters, answer; then ">46" and the end.
    expect(one).toMatchObject({ ok: true, text: '>46', model: model.name, usage: { input: 9, output: 4 } });
  });

  it('answers with equal text in any batch, order and company, over one thread or two', async () => {
    const two = openPocket({ worker: pocketWorker, folder: pocketFolder, workers: 2 });
    try {
      const random = stream(2, 'train');
      const asked = Array.from({ length: 24 }, (_, i) =>
        request({
          input: additionInput(drawAddition(random, 1 + (i % 3), 'train')),
          temperature: i % 2,
          seed: random.int(2 ** 32),
          maxTokens: 5 + i,
        }),
      );
      const { model } = pocket.over(blobs);
      const reference = texts(await answers(model, asked));
      const order = shuffle(stream(3, 'order'), [...asked.keys()]);
      const [forward, backward, alone] = await Promise.all([
        answers(two.over(blobs).model, asked),
        answers(
          two.over(blobs).model,
          order.map((i) => asked[i] as ModelRequest),
        ),
        answers(model, [asked[7] as ModelRequest]),
      ]);
      expect(texts(forward)).toEqual(reference);
      expect(texts(backward)).toEqual(order.map((i) => reference[i]));
      expect(texts(alone)).toEqual([reference[7]]);
    } finally {
      await two.close();
    }
  });

  it('says so where it was cut', async () => {
    const given = await answers(pocket.over(blobs).model, [
      request({ maxTokens: 3, instruction: 'show your work' }),
      request({ maxTokens: 64, instruction: 'show your work' }),
    ]);
    expect(given).toMatchObject([
      { ok: true, finish: 'length', usage: { output: 3 } },
      { ok: true, finish: 'stop' },
    ]);
  });

  it('fails one request, not the others, where a prompt is too long', async () => {
    const given = await answers(pocket.over(blobs).model, [request({ input: '1'.repeat(500) }), request({})]);
    expect(given[0]).toMatchObject({
      ok: false,
      reason: 'The prompt has 504 tokens; Pocket reads at most 159.',
    });
    expect(given[1]).toMatchObject({ ok: true });
  });

  it('answers any text at all', async () => {
    const { model } = pocket.over(blobs);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'grapheme' }),
        async (instruction, input) => {
          const [answer] = await answers(model, [
            request({ instruction, input, maxTokens: 8, temperature: 2 }),
          ]);
          expect(answer).toBeDefined();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('stops within a tenth of a second, and goes on afterwards', async () => {
    const { model } = pocket.over(blobs);
    await answers(model, [request({})]);
    const many = Array.from({ length: 60_000 }, (_, seed) =>
      request({ seed, temperature: 1, instruction: 'show your work' }),
    );
    const stop = { aborted: false };
    let stopped = 0;
    let given = 0;
    for await (const { answer } of model.generate(many, stop)) {
      expect(answer.ok).toBe(true);
      given++;
      if (given === 1) {
        stop.aborted = true;
        stopped = performance.now();
      }
    }
    // Twice the promise, since the machine may be busy with other tests.
    expect(performance.now() - stopped).toBeLessThan(200);
    expect(given).toBeLessThan(many.length / 2);
    expect(texts(await answers(model, [request({})]))).toEqual(['>46']);
  });

  it('stops at once where it waits behind another job', async () => {
    const { model } = pocket.over(blobs);
    const busy = { aborted: false };
    const long = answers(
      model,
      Array.from({ length: 60_000 }, (_, seed) =>
        request({ seed, temperature: 1, instruction: 'show your work' }),
      ),
      busy,
    );
    const stop = { aborted: false };
    const waiting = answers(model, [request({})], stop);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const started = performance.now();
    stop.aborted = true;
    expect(await waiting).toEqual([]);
    expect(performance.now() - started).toBeLessThan(200);
    busy.aborted = true;
    await long;
  });

  it('leaves no work behind where its reader leaves early', async () => {
    const { model } = pocket.over(blobs);
    const many = Array.from({ length: 60_000 }, (_, seed) =>
      request({ seed, temperature: 1, instruction: 'show your work' }),
    );
    const reader = model.generate(many, go)[Symbol.asyncIterator]();
    expect((await reader.next()).done).toBe(false);
    await reader.return?.();
    const started = performance.now();
    await answers(model, [request({})]);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('Pocket as a trainer', () => {
  it('gives the weights recorded for this base, and the same again', async () => {
    const golden = readFileSync(new URL('./goldenWeights.txt', import.meta.url), 'utf8').trim();
    const result = await train(tinyJob);
    expect(`${pocket.over(blobs).model.name} ${result?.weights}`).toBe(golden);
    const again = openPocket({ worker: pocketWorker, folder: pocketFolder });
    try {
      expect(await train(tinyJob, go, again)).toEqual(result);
      expect((await train({ ...tinyJob, seed: 6 }, go, again))?.weights).not.toBe(result?.weights);
    } finally {
      await again.close();
    }
  });

  it('makes weights that answer, beside the base, and that can be trained on', async () => {
    const { model } = pocket.over(blobs);
    const first = await train({ ...tinyJob, replay: null, learningRate: 3e-3, epochs: 40 });
    const weights = first?.weights ?? null;
    const given = texts(await answers(model, [request({ weights }), request({}), request({ weights })]));
    expect(given).toEqual(['2+4+0=06,1+3+0=04>46', '>46', '2+4+0=06,1+3+0=04>46']);
    const second = await train({ ...tinyJob, base: weights });
    expect(second?.weights).not.toBe(weights);
    expect((await blobs.get(second?.weights as ContentHash))?.length).toBe(210_496 * 4);
  });

  it('comes back with nothing when stopped', async () => {
    const stop = { aborted: false };
    const seen: number[] = [];
    const result = await pocket.over(blobs).trainer.train({ ...tinyJob, epochs: 5000 }, stop, (done) => {
      seen.push(done);
      stop.aborted = true;
    });
    expect(result).toBeNull();
    expect(seen.length).toBeLessThan(5000);
  });

  it('refuses lengths it never saw', async () => {
    await expect(train({ ...tinyJob, replay: { share: 0.5, digits: [7] } })).rejects.toThrow(ProviderError);
  });
});

describe('Pocket where something is wrong', () => {
  it('refuses weights that are missing or of another size', async () => {
    const { model } = pocket.over(blobs);
    const missing = asId<ContentHash>('0'.repeat(64));
    await expect(answers(model, [request({ weights: missing })])).rejects.toThrow(ProviderError);
    const wrong = await blobs.put(new Uint8Array(100));
    await expect(answers(model, [request({ weights: wrong })])).rejects.toThrow(
      '100 bytes where it has 841984',
    );
    await expect(train({ ...tinyJob, base: wrong })).rejects.toThrow(ProviderError);
  });

  it('refuses damaged files', async () => {
    await withFolder(
      (folder) => {
        const bytes = readFileSync(join(folder, 'weights.bin'));
        bytes[1000] = (bytes[1000] as number) ^ 1;
        writeFileSync(join(folder, 'weights.bin'), bytes);
      },
      async (folder) => {
        const damaged = openPocket({ worker: pocketWorker, folder });
        await expect(answers(damaged.over(blobs).model, [request({})])).rejects.toThrow(
          'Install Ratchet again',
        );
        await damaged.close();
      },
    );
    await withFolder(
      (folder) => rmSync(join(folder, 'model.json')),
      async (folder) => expect(() => openPocket({ worker: pocketWorker, folder })).toThrow(ProviderError),
    );
  });

  it('says that its thread ended, and starts another', async () => {
    const kernels = new Uint8Array(readFileSync(join(pocketFolder, 'kernels.wasm')));
    const pool = openPool(pocketWorker, 1, async () => ({ kernels }));
    try {
      const requests = [{ prompt: [1], temperature: 0, maxTokens: 1, seed: 1 }];
      const weights = new Float32Array(210_496);
      const seen: number[] = [];
      const run = () => pool.sample('zeros', weights, requests, go, (all) => seen.push(all.length));
      // Weights of a wrong size end the thread: they do not fit its memory.
      const tooMany = new Float32Array(1 << 25);
      await expect(pool.sample('many', tooMany, requests, go, () => {})).rejects.toThrow(
        'Pocket stopped unexpectedly',
      );
      await run();
      expect(seen).toEqual([1]);
    } finally {
      await pool.close();
    }
  });
});

describe('an average of weights', () => {
  const floatsOf = async (hash: ContentHash) =>
    new Float32Array(Uint8Array.from((await blobs.get(hash)) ?? []).buffer);

  it('is the mean of each weight, the same for the same list, and answers', async () => {
    const { trainer, model } = pocket.over(blobs);
    const jobs = [tinyJob, { ...tinyJob, seed: 6, learningRate: 2e-3 }];
    const trained = await Promise.all(jobs.map(async (job) => (await train(job))?.weights as ContentHash));
    const [one, two] = await Promise.all(trained.map(floatsOf));
    const soup = (await trainer.average?.(trained)) as ContentHash;
    const mean = await floatsOf(soup);
    expect(mean.length).toBe(one?.length);
    for (const index of [0, 1, 1000, mean.length - 1])
      expect(mean[index]).toBe(Math.fround(((one?.[index] ?? 0) + (two?.[index] ?? 0)) / 2));
    expect(mean.some((value, index) => value !== one?.[index])).toBe(true);
    expect(await trainer.average?.(trained)).toBe(soup);
    const [text] = texts(await answers(model, [request({ weights: soup })]));
    expect(text).toMatch(/\d/);
  });

  it('takes no weights of another network', async () => {
    const other = await blobs.put(new Uint8Array(8));
    await expect(pocket.over(blobs).trainer.average?.([other])).rejects.toThrow("not Pocket's");
  });
});
