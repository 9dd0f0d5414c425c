/**
 * Owns a pass over one recording: at every crash point the disk's legal states, each distinct one opened once, and of
 * some a second crash while opening. Deliberately prints nothing.
 */
import type { Migration } from '../../src/adapters/store/migrations.ts';
import { stream } from '../../src/core/measure/random.ts';
import { type CrashState, crashStates } from './crashStates.ts';
import { createDisk } from './disk.ts';
import { type Expected, type Recorded, reopen } from './reopen.ts';
import { MIGRATIONS } from './shipped.ts';
import { type Promised, type Recording, UPGRADED } from './workload.ts';

export interface CrashCounts {
  /** Distinct by the content of all files, over all passes that share these counts. */
  states: number;
  /** Openings: a state is opened again where more is promised of it. */
  opened: number;
  crashPoints: number;
  /** States of a second crash, while the first one's were opened; part of `states`. */
  doubleCrashes: number;
  /** Read through every checksum, written to and folded. */
  thorough: number;
  /** Openings that say something is missing though nothing is. */
  falseAlarms: number;
  readonly problems: string[];
}

/** What passes share. */
export interface CrashSession {
  readonly counts: CrashCounts;
  readonly contents: Set<string>;
}

export interface CrashPlan {
  readonly seed: number;
  /** States at each crash point: telling ones, and drawn ones. */
  readonly telling: number;
  readonly sampled: number;
  /** One state in so many is opened thoroughly. */
  readonly thoroughEvery: number;
  /** One state in so many is crashed again while it is opened and written to. */
  readonly doubleEvery: number;
  /** Whether there are crashes after so many operations; everywhere where it is missing. */
  readonly at?: (operations: number) => boolean;
  /** Only notes which states there are, and opens none. */
  readonly dry?: boolean;
  /** Called with each state after it was opened in memory; a sentence is a problem. */
  readonly onState?: (state: CrashState, expected: Expected, number: number) => Promise<string | null>;
  /** Ends the pass. */
  readonly enough?: (counts: CrashCounts) => boolean;
}

interface Placed extends Expected {
  /** Tells expectations apart. */
  readonly name: string;
}

const MOST_PROBLEMS = 20;

export function createSession(): CrashSession {
  const counts = {
    states: 0,
    opened: 0,
    crashPoints: 0,
    doubleCrashes: 0,
    thorough: 0,
    falseAlarms: 0,
    problems: [],
  };
  return { counts, contents: new Set() };
}

/** The newest promise at this point and the next one, which may be in the making. */
function expectedAt(
  promised: readonly Promised[],
  operations: number,
  migrations: readonly Migration[],
  copies: ReadonlySet<string>,
): Placed {
  let newest = 0;
  while (newest + 1 < promised.length && (promised[newest + 1]?.operations ?? 0) <= operations) newest++;
  // Before the first promise there may be nothing yet, or what was there before.
  const allowed = promised.slice(newest, newest + 2).map(({ content }) => content);
  return { allowed, migrations, copies, name: String(newest) };
}

/** Opens what a crash at each point of the recording can leave behind; adds to the session's counts. */
export async function crashEverywhere(
  recording: Recording,
  plan: CrashPlan,
  session: CrashSession = createSession(),
): Promise<CrashCounts> {
  const { counts, contents } = session;
  const random = stream(plan.seed, 'crash');
  const disk = createDisk(recording.initial);
  const met = new Set<string>();
  const copies = new Set([...recording.copied, ...recording.promised.map(({ content }) => content)]);
  const done = (): boolean => counts.problems.length >= MOST_PROBLEMS || plan.enough?.(counts) === true;

  /** What opening did to the disk, where the state is to be crashed again. */
  const open = async (
    state: CrashState,
    expected: Placed,
    where: string,
    again: boolean,
  ): Promise<Recorded | null> => {
    const name = `${expected.name} ${state.key}`;
    if (met.has(name)) return null;
    met.add(name);
    if (plan.dry === true) {
      contents.add(state.key);
      return null;
    }
    const number = ++counts.opened;
    if (!contents.has(state.key)) {
      contents.add(state.key);
      counts.states++;
      if (again) counts.doubleCrashes++;
    }
    const twice = !again && number % plan.doubleEvery === 0;
    const thorough = twice || number % plan.thoroughEvery === 0;
    if (thorough) counts.thorough++;
    const { problem, alarm, after } = await reopen(state, expected, {
      thorough,
      opening: again ? 2 : 1,
    });
    if (alarm !== null) counts.falseAlarms++;
    const alarmed = alarm === null ? null : `a crash is taken for damage: ${alarm}`;
    const found = problem ?? alarmed ?? (await plan.onState?.(state, expected, number)) ?? null;
    if (found === null) return twice ? after : null;
    counts.problems.push(`${where}, ${state.what}: ${found}`);
    return null;
  };
  const crashAgain = async (
    first: CrashState,
    expected: Placed,
    recorded: Recorded,
    where: string,
  ): Promise<void> => {
    const second = createDisk(first.files);
    const draws = stream(plan.seed, 'again', counts.opened);
    const name = `${expected.name} ${first.key}`;
    for (const [index, operation] of recorded.operations.entries()) {
      second.apply(operation);
      const then = expectedAt(recorded.promised, index + 1, expected.migrations, copies);
      for (const state of crashStates(second, draws, { telling: 1, sampled: 1 })) {
        if (done()) return;
        const place = `${where}, ${first.what}, then again after ${index + 1} (${operation.kind})`;
        await open(state, { ...then, name: `${name} ${then.name}` }, place, true);
      }
    }
  };

  for (const [index, operation] of recording.operations.entries()) {
    disk.apply(operation);
    if (plan.at?.(index + 1) === false) continue;
    counts.crashPoints++;
    const migrations = index + 1 >= recording.upgradedFrom ? UPGRADED : MIGRATIONS;
    const expected = expectedAt(recording.promised, index + 1, migrations, copies);
    for (const state of crashStates(disk, random, plan)) {
      if (done()) return counts;
      const where = `after operation ${index + 1} (${operation.kind})`;
      const recorded = await open(state, expected, where, false);
      if (recorded !== null) await crashAgain(state, expected, recorded, where);
    }
  }
  return counts;
}
