/**
 * Owns one contender of the throughput bench, in a process of its own: it makes its calls and prints what they took.
 * Bundled before it runs, as the product is: loading sources takes memory that no user's machine gives.
 * Usage: node modelsClient.ts --contender ours --address URL --calls 2000 --inFlight 128
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { request as ask } from 'undici';
import { openaiModel } from '../../src/adapters/models/openaiModel.ts';
import { openStore } from '../../src/adapters/store/store.ts';
import { nothingCharged } from '../../src/core/loop/journal.ts';
import { openLedger } from '../../src/core/loop/ledger.ts';
import { asId, type RunId } from '../../src/core/model/ids.ts';
import type { LanguageModel, ModelRequest } from '../../src/core/ports.ts';
import { assets } from '../../src/engine/assets.ts';

const { values } = parseArgs({
  options: {
    contender: { type: 'string', default: 'ours' },
    address: { type: 'string', default: '' },
    calls: { type: 'string', default: '2000' },
    inFlight: { type: 'string', default: '128' },
  },
});
const { address } = values;
const calls = Number(values.calls);
const inFlight = Number(values.inFlight);

const request = (index: number): ModelRequest => ({
  messages: [
    { role: 'system', content: 'You add numbers. Answer with the sum alone. '.repeat(6) },
    { role: 'user', content: `${index} + ${index * 7}` },
  ],
  temperature: 1,
  maxTokens: 256,
  seed: index,
  weights: null,
});

const chatBody = (index: number) => {
  const { messages, temperature, maxTokens, seed } = request(index);
  return { model: 'bench', messages: [...messages], temperature, max_tokens: maxTokens, seed };
};

/** Makes `count` calls and gives how many were answered; `close` frees what they used. */
interface Contender {
  run(count: number): Promise<number>;
  close(): Promise<void>;
}

const nothing = async (): Promise<void> => undefined;

function bareUndici(): Contender {
  const url = `${address}/chat/completions`;
  return {
    async run(count) {
      let next = 0;
      let done = 0;
      const worker = async (): Promise<void> => {
        while (next < count) {
          const body = JSON.stringify(chatBody(next++));
          const { body: answer } = await ask(url, {
            method: 'POST',
            body,
            headers: { 'content-type': 'application/json' },
          });
          const { choices } = (await answer.json()) as { choices: readonly unknown[] };
          done += choices.length;
        }
      };
      await Promise.all(Array.from({ length: inFlight }, worker));
      return done;
    },
    close: nothing,
  };
}

/** What most programs do. */
async function bareClient(): Promise<Contender> {
  const [{ OpenAI }, { default: PQueue }] = await Promise.all([import('openai'), import('p-queue')]);
  const client = new OpenAI({ apiKey: 'none', baseURL: address, maxRetries: 0 });
  return {
    async run(count) {
      const queue = new PQueue({ concurrency: inFlight });
      const made = Array.from({ length: count }, (_, index) =>
        queue.add(() => client.chat.completions.create(chatBody(index))),
      );
      const answers = await Promise.all(made);
      return answers.filter(({ choices }) => choices.length === 1).length;
    },
    close: nothing,
  };
}

function provider(): LanguageModel {
  return openaiModel({
    provider: 'bench',
    baseURL: address,
    model: 'bench',
    apiKey: async () => null,
    concurrency: inFlight,
  });
}

function ours(): Contender {
  const model = provider();
  return {
    async run(count) {
      let done = 0;
      const requests = Array.from({ length: count }, (_, index) => request(index));
      for await (const { answer } of model.generate(requests, { aborted: false })) if (answer.ok) done += 1;
      return done;
    },
    close: nothing,
  };
}

/** As in a run: every answer durable on the real file, by the real worker, before it is used. */
async function oursDurable(): Promise<Contender> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-models-'));
  const store = await openStore({
    file: path.join(folder, 'bench.ratchetdb'),
    wasmFile: assets.wasmFile,
    workerUrl: assets.storeWorker,
  });
  const runId = asId<RunId>('bench');
  await store.createRun({
    id: runId,
    recipeName: 'bench',
    recipePath: 'bench.loop.yaml',
    recipeText: '',
    seed: 1,
    rounds: 1,
    arms: ['main'],
    startedAt: 1_700_000_000_000,
  });
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const services = {
    store,
    model: provider,
    trainer: () => null,
    files: { load: async () => ({ tasks: [], skipped: [] }) },
    exports: { write: async () => undefined },
    clock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onEvents: () => undefined,
    onProgress: () => undefined,
  };
  const facts = { recipe: '', data: '', caps: { tokens: 1_000_000_000 }, origin: null, attempts: 0 };
  const account = { sessions: [], charged: nothingCharged, open: 0 };
  const control = { aborted: false, reason: null };
  const ledger = await openLedger({ id: runId, model: provider(), facts, account }, services, control);
  let step = 0;
  return {
    async run(count) {
      const place = {
        step: `${step++}.solve`,
        round: 1,
        at: { arm: 'main', round: 1, step: '0.solve' },
      } as const;
      const all = Array.from({ length: count }, (_, index) => ({
        item: String(index),
        sample: 0,
        request: request(index),
      }));
      let durable = 0;
      const answers = await ledger.ask(place, all, (done) => {
        durable = done;
      });
      return Math.min(durable, answers.filter(({ ok }) => ok).length);
    },
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const contenders: Readonly<Record<string, () => Contender | Promise<Contender>>> = {
  undici: bareUndici,
  openai: bareClient,
  ours,
  oursDurable,
};

const open = contenders[values.contender];
if (open === undefined) throw new Error(`There is no contender "${values.contender}".`);
const contender = await open();
// Modules are loaded and one connection is made before the clock starts, for everyone.
await contender.run(1);
const cpu = process.cpuUsage();
const start = performance.now();
const answered = await contender.run(calls);
const wallMs = performance.now() - start;
const { user, system } = process.cpuUsage(cpu);
const megabytes = process.resourceUsage().maxRSS / 1024;
await contender.close();
if (answered !== calls) throw new Error(`${answered} of ${calls} calls were answered.`);
process.stdout.write(`${JSON.stringify({ wallMs, cpuMs: (user + system) / 1000, megabytes })}\n`);
process.exit(0);
