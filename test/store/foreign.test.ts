/** Another SQLite program opens the live file: it is refused, and whatever it tried, nothing acknowledged is lost. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runId } from '../unit/adapters/store/samples.ts';
import { createStore, openDatabase, wasm } from './shipped.ts';

const owner = fileURLToPath(new URL('./contender.ts', import.meta.url));

/** What is tried on the file, and whether it may be written to. */
const ATTEMPTS: readonly (readonly [sql: string, readOnly: boolean])[] = [
  ['SELECT count(*) FROM events', true],
  ['SELECT count(*) FROM events', false],
  ['CREATE TABLE foreigner (note); INSERT INTO foreigner VALUES (1)', false],
  ['PRAGMA journal_mode = DELETE', false],
  ['PRAGMA wal_checkpoint(TRUNCATE)', false],
  ['VACUUM', false],
];

/** What an owner makes beside its open store in its own time: the note of how far it came, the index for searches. */
const OF_THE_OWNER = /^(workspace\.ratchetdb-seq|search\.ratchetdb(-log)?(\.new(-log)?)?)$/;

/** Prints for each attempt what SQLite said to it, or that it was let in. */
const foreigner = `
const { DatabaseSync } = require('node:sqlite');
const [file, attempts] = process.argv.slice(1);
const said = JSON.parse(attempts).map(([sql, readOnly]) => {
  let database;
  try {
    database = new DatabaseSync(file, { readOnly });
    database.exec(sql);
    return 'let in';
  } catch (error) {
    return error.message;
  } finally {
    database?.close();
  }
});
process.stdout.write(JSON.stringify(said));
`;

async function tryAll(file: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--no-warnings',
    '-e',
    foreigner,
    file,
    JSON.stringify(ATTEMPTS),
  ]);
  return JSON.parse(stdout) as readonly string[];
}

interface Meeting {
  /** Entries that were acknowledged. */
  readonly acknowledged: readonly string[];
  /** What SQLite said to the foreigner. */
  readonly said: readonly string[];
}

/** A foreigner meets an owner that goes on saving before, meanwhile and afterwards, and then ends by `signal`. */
async function meet(folder: string, signal: 'SIGKILL' | 'SIGTERM'): Promise<Meeting> {
  const file = path.join(folder, 'workspace.ratchetdb');
  const child = spawn(process.execPath, [owner, folder, 'lock'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const entries = (): readonly string[] => output.split('\n').slice(0, -1);
  const more = async (count: number): Promise<void> => {
    const goal = entries().length + count;
    while (entries().length < goal && child.exitCode === null) await sleep(10);
  };
  const names = (): readonly string[] =>
    readdirSync(folder)
      .filter((name) => !OF_THE_OWNER.test(name))
      .sort();
  try {
    await more(20);
    const before = names();
    const said = await tryAll(file);
    await more(20);
    expect(names(), 'no other file came or went').toEqual(before);
    child.kill(signal);
    await closed;
    return { acknowledged: entries(), said };
  } finally {
    child.kill('SIGKILL');
  }
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'other programs are refused and nothing is lost, the owner ended by %s',
  async (signal) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-foreign-'));
    const file = path.join(folder, 'workspace.ratchetdb');
    try {
      const { acknowledged, said } = await meet(folder, signal);
      for (const sentence of said) expect(sentence).toMatch(/not a database/);
      const left = readFileSync(file);
      expect(await tryAll(file), 'the same without an owner').toEqual(said);
      expect(readFileSync(file).equals(left), 'the file is as it was').toBe(true);
      const database = await openDatabase({ file, wasm });
      expect(database.report.warnings).toEqual([]);
      const store = createStore(database);
      const events = await store.events(runId, 0, 1_000_000);
      const held = new Set(events.map(({ event }) => (event.kind === 'warningRaised' ? event.message : '')));
      expect(acknowledged.length).toBeGreaterThan(20);
      expect(acknowledged.filter((entry) => !held.has(entry))).toEqual([]);
      expect((await store.verify()).problems).toEqual([]);
      const copy = path.join(folder, 'copy.sqlite');
      await store.exportTo(copy);
      await store.close();
      expect((await tryAll(copy)).every((sentence) => sentence === 'let in')).toBe(true);
      expect(existsSync(`${file}-wal`)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
