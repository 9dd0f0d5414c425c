/**
 * Owns the process of the bench of batches: a step of many calls over the product's own ledger and store on a real file,
 * then the same step again, and what both took, as JSON on standard output. Another one of it is the server.
 * Bundled before it runs (bundled.ts). Usage: node batchClient.mjs CALLS
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostGates } from '../../src/adapters/models/hostGate.ts';
import { openaiModel } from '../../src/adapters/models/openaiModel.ts';
import { openStore } from '../../src/adapters/store/store.ts';
import { readAccount } from '../../src/core/loop/journal.ts';
import { openLedger } from '../../src/core/loop/ledger.ts';
import { assets } from '../../src/engine/assets.ts';
import { asId, type RunId } from '../../src/core/model/ids.ts';
import { startBatchServer } from '../fakes/batchServer.ts';
import { testRun } from '../fakes/runServices.ts';

const SERVER = 'server';
const [argument = '100000'] = process.argv.slice(2);
/** About what a task of a few sentences takes. */
const PROMPT = 'Compute the sum and give only the number. '.repeat(6);

/** Says where it listens, and when asked, what it has seen. */
async function serve(): Promise<void> {
  const server = await startBatchServer({ looks: 3 });
  process.on('message', () =>
    process.send?.({
      batches: server.batches.map(({ lines }) => lines.length),
      largest: server.largest,
      paidTwice: [...server.paid.values()].filter((times) => times > 1).length,
      paid: server.paid.size,
    }),
  );
  process.send?.({ baseURL: server.baseURL });
}

interface Seen {
  readonly batches: readonly number[];
  readonly largest: number;
  readonly paidTwice: number;
  readonly paid: number;
}

async function measure(count: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [SERVER], { execArgv: [] });
  const hear = <Message>(): Promise<Message> =>
    new Promise((resolve) => child.once('message', (message) => resolve(message as Message)));
  const { baseURL } = await hear<{ baseURL: string }>();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ratchet-bench-'));
  const file = path.join(folder, 'workspace.ratchetdb');
  const store = await openStore({
    file,
    workerUrl: assets.storeWorker,
    wasmFile: assets.wasmFile,
  });
  try {
    const { services, control } = testRun({ now: () => performance.now() });
    const runId = asId<RunId>('batch-scale');
    await store.createRun({
      ...{ id: runId, recipeName: 'bench', recipePath: 'bench.loop.yaml', recipeText: '' },
      ...{ seed: 1, rounds: 1, arms: ['main'], startedAt: Date.now() },
    });
    const model = openaiModel({
      ...{ provider: 'local', baseURL, model: 'fake', apiKey: async () => null, gates: hostGates() },
      limits: { pollMs: [50, 500] },
    });
    const calls = Array.from({ length: count }, (_, index) => ({
      ...{ item: String(index), sample: 0 },
      request: {
        messages: [{ role: 'user' as const, content: `${PROMPT}${index} + ${index}` }],
        ...{ temperature: 0.7, maxTokens: 64, seed: index + 1, weights: null },
      },
    }));
    const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
    const before = process.memoryUsage.rss();
    const ask = async () => {
      const facts = { recipe: '', data: '', caps: {}, origin: null, attempts: 0 };
      const account = await readAccount(store, runId);
      const real = { ...services, store };
      const ledger = await openLedger({ id: runId, model, facts, account }, real, control);
      const at = { arm: 'main', round: 1, step: '1.solve' } as const;
      const began = performance.now();
      const answers = await ledger.ask({ step: at.step, round: 1, at, batch: true }, calls, () => undefined);
      const wrong = answers.filter(
        (answer, index) => !answer.ok || answer.text !== `re: ${PROMPT}${index} + ${index}`,
      ).length;
      return { seconds: Math.round((performance.now() - began) / 100) / 10, wrong };
    };
    const first = await ask();
    const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
    const again = await ask();
    child.send('seen');
    const seen = await hear<Seen>();
    const measured = {
      calls: count,
      batches: seen.batches,
      largestUploadMiB: mebibytes(seen.largest),
      seconds: first.seconds,
      fromTheLedgerSeconds: again.seconds,
      beforeMiB: mebibytes(before),
      peakMiB,
      peakOfBothMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      storeMiB: mebibytes(statSync(file).size),
      wrongAnswers: first.wrong + again.wrong,
      paid: seen.paid,
      paidTwice: seen.paidTwice,
    };
    process.stdout.write(JSON.stringify(measured));
  } finally {
    child.kill();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (argument === SERVER) await serve();
else await measure(Number(argument));
