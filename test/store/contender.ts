/**
 * A process that fights for a workspace: takes the lock, opens the store with the worker that ships, notes its session, and
 * saves entry after entry until it is killed, or closes on SIGTERM; each is printed once it is acknowledged.
 *   node contender.ts FOLDER lock|lease
 * With `lease`, it takes ownership as one must not: a file with a time in it, taken over when that is old.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../src/adapters/store/store.ts';
import { takeOwnership } from '../../src/engine/ownership.ts';
import { event, place, runId, sampleRun } from '../unit/adapters/store/samples.ts';

const [folder = '', how] = process.argv.slice(2);
const dist = new URL('../../dist/', import.meta.url);

const LEASE_MS = 400;

/** The wrong way, to show that the fight notices. */
async function takeLease(file: string): Promise<object | null> {
  const age = existsSync(file) ? Date.now() - Number(readFileSync(file, 'utf8')) : Infinity;
  if (age < LEASE_MS) return null;
  const renew = (): void => writeFileSync(file, String(Date.now()));
  renew();
  return setInterval(renew, LEASE_MS / 4);
}

const tell = (word: string): Promise<void> =>
  new Promise((resolve) => process.stdout.write(`${word}\n`, () => resolve()));

const lock = path.join(folder, how === 'lease' ? 'lease' : 'engine.lock');
const take = how === 'lease' ? takeLease : takeOwnership;
while ((await take(lock)) === null) await sleep(20 + Math.random() * 60);

const store = await openStore({
  file: path.join(folder, 'workspace.ratchetdb'),
  workerUrl: new URL('storeWorker.mjs', dist),
  wasmFile: path.join(import.meta.dirname, '../../dist/sql-wasm.wasm'),
});
const say = async (message: string): Promise<void> => {
  await store.commit({ runId, events: [event(place(1, 'fight'), { kind: 'warningRaised', message })] });
  await tell(message);
};
if ((await store.run(runId)) === null) await store.createRun(sampleRun());
const session = (await store.events(runId, 0, 1_000_000)).reduce(
  (newest, { event: { kind, ...rest } }) =>
    kind === 'warningRaised' && 'message' in rest
      ? Math.max(newest, Number(rest.message.split(' ')[0]))
      : newest,
  0,
);
// The fencing record: who owns the workspace now begins a session of the next number.
await say(`${session + 1} 0`);
let isAsked = false;
process.once('SIGTERM', () => (isAsked = true));
for (let entry = 1; !isAsked; entry++) {
  await say(`${session + 1} ${entry}`);
  await sleep(Math.random() * 10);
}
await store.close();
process.exit(0);
