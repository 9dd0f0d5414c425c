/** Another SQLite program opens the live file: what it does is harmless, or named when the workspace is opened again. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runId } from '../unit/adapters/store/samples.ts';
import { createStore, openDatabase, StoreError, wasm } from './shipped.ts';

const owner = fileURLToPath(new URL('./contender.ts', import.meta.url));

/** Exits with 0 whether it was let in or not: SQLite's own doing is what is looked at. */
const foreigner = `
const { DatabaseSync } = require('node:sqlite');
const [file, how] = process.argv.slice(1);
try {
  const database = new DatabaseSync(file, { readOnly: how === 'reads only' });
  database.prepare('SELECT count(*) FROM events').get();
  if (how === 'writes') database.exec('CREATE TABLE foreigner (note); INSERT INTO foreigner VALUES (1)');
  database.close();
} catch {}
`;

/** Entries acknowledged by an owner whose file a foreigner opened meanwhile, and who was then killed. */
async function meet(folder: string, how: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [owner, folder, 'lock'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const entries = (): readonly string[] => said.split('\n').slice(0, -1);
  const more = async (count: number): Promise<void> => {
    const goal = entries().length + count;
    while (entries().length < goal && child.exitCode === null) await sleep(10);
  };
  try {
    await more(20);
    await promisify(execFile)(process.execPath, [
      '-e',
      foreigner,
      path.join(folder, 'workspace.ratchetdb'),
      how,
    ]);
    await more(20);
  } finally {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
  return entries();
}

test.each(['reads only', 'reads and may write', 'writes'])(
  'a program that %s loses nothing without a word',
  async (how) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-foreign-'));
    const file = path.join(folder, 'workspace.ratchetdb');
    try {
      const acknowledged = await meet(folder, how);
      expect(acknowledged.length).toBeGreaterThan(20);
      const opened = await openDatabase({ file, wasm }).catch((error: unknown) => error);
      if (opened instanceof Error) {
        expect(opened).toBeInstanceOf(StoreError);
        expect(opened.message).toContain(file);
        console.log(`${how}: refused at the next opening: ${opened.message.slice(file.length, 120)}`);
        return;
      }
      const store = createStore(opened as Awaited<ReturnType<typeof openDatabase>>);
      const said = [...(await store.status()).warnings, ...(await store.verify()).problems];
      const events = await store.events(runId, 0, 1_000_000).catch(() => []);
      const held = new Set(events.map(({ event }) => (event.kind === 'warningRaised' ? event.message : '')));
      const lost = acknowledged.filter((entry) => !held.has(entry));
      console.log(
        `${how}: opened, ${lost.length} of ${acknowledged.length} lost, said: ${said.join(' ').slice(0, 200)}`,
      );
      if (said.length === 0) expect(lost).toEqual([]);
      await store.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
