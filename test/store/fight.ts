/**
 * Owns a fight of processes for one workspace: they are started, killed, stopped and woken at random, and afterwards the
 * store tells who wrote when. Deliberately knows nothing of how ownership is taken (contender.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pick, type Random, stream } from '../../src/core/measure/random.ts';
import { runId } from '../unit/adapters/store/samples.ts';
import { createStore, openDatabase, wasm } from './shipped.ts';

const contender = fileURLToPath(new URL('./contender.ts', import.meta.url));

export interface Fight {
  readonly started: number;
  readonly kills: number;
  readonly stops: number;
  /** Owners, one after the other. */
  readonly sessions: number;
  /** Entries some owner said were saved. */
  readonly acknowledged: number;
  readonly problems: readonly string[];
}

/** By the operating system's lock, as Ratchet does, or by a lease that runs out. */
export type Way = 'lock' | 'lease';

export interface FightPlan {
  readonly seed: number;
  readonly processes: number;
  readonly ms: number;
  /** It goes on until so much has happened, but no longer than LONGEST_FIGHT_MS. */
  readonly least: Readonly<Record<'owners' | 'kills' | 'stops', number>>;
}

interface Fighter {
  readonly child: ChildProcess;
  stopped: boolean;
  said: string;
  /** By the clock of `performance`; the one who spoke last is the owner. */
  saidAt: number;
}

function startFighter(folder: string, how: Way): Fighter {
  const child = spawn(process.execPath, [contender, folder, how], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const fighter: Fighter = { child, stopped: false, said: '', saidAt: 0 };
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (bytes: Buffer) => {
      fighter.said += bytes.toString();
      fighter.saidAt = performance.now();
    });
  return fighter;
}

const isOver = ({ child }: Fighter): boolean => child.exitCode !== null || child.signalCode !== null;

/** What `session entry` lines an owner acknowledged; the rest is a complaint of a process that failed. */
function acknowledged({ said }: Fighter): {
  readonly entries: readonly string[];
  readonly complaint: string;
} {
  // The last line of a killed process may be cut off.
  const lines = said.split('\n').slice(0, -1);
  const isEntry = (line: string): boolean => /^\d+ \d+$/.test(line);
  return {
    entries: lines.filter(isEntry),
    complaint: lines
      .filter((line) => !isEntry(line))
      .join(' ')
      .slice(0, 500),
  };
}

/** Entries in the order they were saved; sessions must follow one another, each without a gap. */
function interleaved(entries: readonly string[]): readonly string[] {
  const problems: string[] = [];
  let [session, entry] = [0, -1];
  for (const text of entries) {
    const [nextSession = 0, nextEntry = 0] = text.split(' ').map(Number);
    const goesOn = nextSession === session && nextEntry === entry + 1;
    const begins = nextSession === session + 1 && nextEntry === 0;
    if (!goesOn && !begins) problems.push(`entry "${text}" was written after "${session} ${entry}"`);
    [session, entry] = [nextSession, nextEntry];
  }
  return problems;
}

async function savedIn(
  folder: string,
): Promise<{ readonly entries: readonly string[]; readonly problems: readonly string[] }> {
  const store = createStore(await openDatabase({ file: path.join(folder, 'workspace.ratchetdb'), wasm }));
  try {
    const { problems } = await store.verify();
    const events = await store.events(runId, 0, 1_000_000);
    const entries = events.flatMap(({ event }) => (event.kind === 'warningRaised' ? [event.message] : []));
    const { warnings } = await store.status();
    return { entries, problems: [...problems, ...warnings] };
  } finally {
    await store.close();
  }
}

type Done = 'kills' | 'stops' | null;

/** Stops it, or wakes it; what was killed is begun anew. */
function stopOrWake(fighter: Fighter): Done {
  fighter.child.kill(fighter.stopped ? 'SIGCONT' : 'SIGSTOP');
  fighter.stopped = !fighter.stopped;
  return fighter.stopped ? 'stops' : null;
}

/** Now the owner, as far as one can tell, now any of them. */
async function disturb(fighters: Fighter[], random: Random, begin: () => Fighter): Promise<Done> {
  const owner = fighters.reduce((newest, one) => (one.saidAt > newest.saidAt ? one : newest));
  const fighter = random.int(3) === 0 ? pick(random, fighters) : owner;
  if (!isOver(fighter) && random.int(2) === 0) return stopOrWake(fighter);
  // Those that wait are rarely killed: on a slow machine none would come to own anything.
  if (!isOver(fighter) && fighter.said === '' && random.int(4) > 0) return null;
  if (!isOver(fighter)) await kill(fighter);
  fighters[fighters.indexOf(fighter)] = begin();
  return 'kills';
}

async function kill({ child }: Fighter): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

const LONGEST_FIGHT_MS = 240_000;

/** What came of it, from what the processes said and what the store holds; all of them are killed first. */
async function judge(
  folder: string,
  all: readonly Fighter[],
  counts: Pick<Fight, 'kills' | 'stops'>,
): Promise<Fight> {
  await Promise.all(all.filter((fighter) => !isOver(fighter)).map(kill));
  const problems: string[] = [];
  const told = all.map(acknowledged);
  for (const { complaint } of told) if (complaint !== '') problems.push(`a process failed: ${complaint}`);
  const saved = await savedIn(folder).catch((error: unknown) => ({ entries: [], problems: [String(error)] }));
  problems.push(...saved.problems, ...interleaved(saved.entries));
  const held = new Set(saved.entries);
  const entries = told.flatMap((one) => one.entries);
  for (const entry of entries) if (!held.has(entry)) problems.push(`the saved entry "${entry}" is gone`);
  if (new Set(entries).size !== entries.length) problems.push('two owners saved the same entry');
  const sessions = saved.entries.filter((entry) => entry.endsWith(' 0')).length;
  return { started: all.length, ...counts, sessions, acknowledged: entries.length, problems };
}

/** A new workspace for `work`, which starts processes there by `begin`. */
async function inRing(
  how: Way,
  work: (begin: () => Fighter, all: readonly Fighter[]) => Promise<Pick<Fight, 'kills' | 'stops'>>,
): Promise<Fight> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-fight-'));
  const all: Fighter[] = [];
  try {
    const counts = await work(() => {
      const fighter = startFighter(folder, how);
      all.push(fighter);
      return fighter;
    }, all);
    return await judge(folder, all, counts);
  } finally {
    for (const { child } of all) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lets `processes` of them fight for `ms` milliseconds, longer where less than `least` has happened. */
export function fight({ seed, processes, ms, least }: FightPlan): Promise<Fight> {
  const random = stream(seed, 'fight');
  return inRing('lock', async (begin, all) => {
    const counts = { kills: 0, stops: 0 };
    const fighters = Array.from({ length: processes }, begin);
    const began = performance.now();
    const owners = (): number => all.filter(({ said }) => said !== '').length;
    const isLacking = (): boolean =>
      owners() < least.owners || counts.kills < least.kills || counts.stops < least.stops;
    const goesOn = (): boolean => {
      const elapsed = performance.now() - began;
      return elapsed < ms || (isLacking() && elapsed < LONGEST_FIGHT_MS);
    };
    while (goesOn()) {
      await sleep(50 + random.int(400));
      const done = await disturb(fighters, random, begin);
      if (done !== null) counts[done]++;
    }
    return counts;
  });
}

const LONGEST_WAIT_MS = 60_000;

async function says({ said }: Fighter, fighter: Fighter): Promise<void> {
  const end = performance.now() + LONGEST_WAIT_MS;
  while (fighter.said.length === said.length) {
    if (performance.now() > end) throw new Error('The process says nothing.');
    await sleep(20);
  }
}

/**
 * The owner is stopped for `ms` while another wants the workspace, then woken; then it is killed and the other must follow.
 * Where it follows sooner, the first goes on beside it.
 */
export function stopTheOwner(how: Way, ms: number): Promise<Fight> {
  return inRing(how, async (begin) => {
    const owner = begin();
    await says({ ...owner }, owner);
    const other = begin();
    owner.child.kill('SIGSTOP');
    const end = performance.now() + ms;
    while (performance.now() < end && other.said === '') await sleep(20);
    owner.child.kill('SIGCONT');
    await says({ ...owner }, owner);
    await sleep(300);
    await kill(owner);
    await says({ ...other }, other);
    return { kills: 1, stops: 1 };
  });
}
