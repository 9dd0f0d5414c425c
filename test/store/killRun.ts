/**
 * Owns a real run of the shipped command line that is killed at random moments and begun again by the same command, until
 * it is done; and what was seen of it: events its engine announced as saved, and what the store holds after each kill.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectEngine } from '../../src/client/connect.ts';
import { costSoFar } from '../../src/core/loop/budget.ts';
import { readAccount } from '../../src/core/loop/journal.ts';
import { perDollar } from '../../src/core/measure/prices.ts';
import type { Random } from '../../src/core/measure/random.ts';
import type { StoredEvent } from '../../src/core/model/event.ts';
import { eventsAppended } from '../../src/protocol/engine.ts';
import { comparableEvents } from '../fakes/comparableEvents.ts';
import { contentOf, missingRows } from './contents.ts';
import { createStore, openDatabase, wasm } from './shipped.ts';

const cli = fileURLToPath(new URL('../../dist/cli.mjs', import.meta.url));

export interface KilledRun {
  readonly kills: number;
  /** Announced as saved by an engine that was then killed. */
  readonly acknowledged: number;
  readonly problems: readonly string[];
  readonly events: readonly string[];
  /** At its end. */
  readonly held: Held;
}

/** So many signs of work after the process was started, and then so many milliseconds: slow machines are hit as fast ones. */
export interface KillMoment {
  readonly signs: number;
  readonly ms: number;
}

export interface KillPlan {
  readonly recipe: string;
  /** When the next life of the command ends; null lets it run to its end. */
  readonly nextKill: () => KillMoment | null;
  /** Signs that the work goes on, beside the events that are announced: calls that arrived, say. */
  readonly signs?: () => number;
  readonly environment?: NodeJS.ProcessEnv;
  /** Told after each kill what the store holds of the money. */
  readonly onKilled?: (held: Held) => void;
}

/** What a store holds of its run's answers and money. */
export interface Held {
  /** Settled answers of the model. */
  readonly settled: number;
  /** Calls reserved durably that neither answered nor were given back. */
  readonly open: number;
  /** What the run says it cost, in billionths of a dollar, calls that may have been made at their worst case. */
  readonly charged: number;
}

const nothingHeld: Held = { settled: 0, open: 0, charged: 0 };

const said = ({ runId, time, event }: StoredEvent): string => `${runId} ${time} ${JSON.stringify(event)}`;

/** Hands on what the workspace's engine says it has saved, until it is gone. */
async function listen(
  workspace: string,
  alive: () => boolean,
  onEvents: (events: readonly StoredEvent[]) => void,
) {
  while (alive()) {
    const connection = await connectEngine(
      {
        workspaceFolder: workspace,
        engineScript: '',
        nodePath: process.execPath,
        client: 'editor',
        version: 'test',
        start: 'never',
      },
      2_000,
    ).catch(() => null);
    if (connection === null) {
      await sleep(30);
      continue;
    }
    connection.on(eventsAppended, ({ events }) => onEvents(events));
    while (alive()) await sleep(30);
    connection.close();
  }
}

/** What a copy of the workspace's store holds; the store itself stays as the kill left it. */
async function look(workspace: string) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-look-'));
  const source = path.join(workspace, '.ratchet');
  const name = 'workspace.ratchetdb';
  try {
    if (!existsSync(path.join(source, name))) return null;
    for (const file of readdirSync(source))
      if (file.startsWith(name)) copyFileSync(path.join(source, file), path.join(folder, file));
    const database = await openDatabase({ file: path.join(folder, name), wasm });
    const store = createStore(database);
    const { problems } = await store.verify();
    const events = [];
    for (const run of await store.runs()) events.push(...(await store.events(run.id, 0, 100_000)));
    const settled = Number(
      database.read((c) => c.get("SELECT count(*) AS n FROM effects WHERE kind = 'model'"))?.['n'],
    );
    const content = contentOf(database);
    const runs = await store.runs();
    const [first] = runs;
    const account = first === undefined ? null : await readAccount(store, first.id);
    const charged =
      first === undefined || account === null
        ? 0
        : (costSoFar(
            { spent: await store.spent(first.id), charged: account.charged },
            account.sessions.at(-1)?.price ?? null,
          ).usd ?? 0);
    await store.close();
    const held: Held = { settled, open: account?.open ?? 0, charged: Math.round(charged * perDollar) };
    return { problems, events, held, content, runs: runs.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Life {
  readonly killed: boolean;
  readonly code: number | null;
  readonly said: string;
}

/** One life of the command, to its end or to the kill. */
async function live(
  recipeFile: string,
  plan: KillPlan,
  onEvents: (events: readonly StoredEvent[]) => void,
): Promise<Life> {
  const child = spawn(process.execPath, [cli, 'run', recipeFile], {
    env: { ...process.env, ...plan.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (said = `${said}${bytes.toString()}`.slice(-2000)));
  let alive = true;
  const ended = once(child, 'exit').then(([code, signal]) => {
    alive = false;
    return { killed: signal === 'SIGKILL', code: code as number | null };
  });
  let announced = 0;
  const signs = (): number => announced + (plan.signs?.() ?? 0);
  const before = signs();
  const listening = listen(
    path.dirname(recipeFile),
    () => alive,
    (events) => {
      announced += events.length;
      onEvents(events);
    },
  );
  const moment = plan.nextKill();
  if (moment !== null) {
    while (alive && signs() - before < moment.signs) await sleep(2);
    await Promise.race([ended, sleep(moment.ms)]);
    child.kill('SIGKILL');
  }
  const end = await ended;
  await listening;
  return { ...end, said };
}

/** Runs the recipe in a new workspace until it is done, through every kill. */
export async function runThroughKills(plan: KillPlan): Promise<KilledRun> {
  const workspace = mkdtempSync(path.join(tmpdir(), 'ratchet-kill-'));
  const recipeFile = path.join(workspace, 'loop.loop.yaml');
  mkdirSync(path.join(workspace, '.ratchet'));
  writeFileSync(recipeFile, plan.recipe);
  const problems: string[] = [];
  const acknowledged = new Map<number, string>();
  let before = '';
  let kills = 0;
  try {
    for (;;) {
      const {
        killed,
        code,
        said: words,
      } = await live(recipeFile, plan, (events) => {
        for (const stored of events) acknowledged.set(stored.seq, said(stored));
      });
      const found = await look(workspace);
      if (killed) plan.onKilled?.(found?.held ?? nothingHeld);
      const held = new Map(found?.events.map((stored) => [stored.seq, said(stored)]));
      for (const [seq, event] of acknowledged)
        if (held.get(seq) !== event)
          problems.push(`kill ${kills}: the saved event ${seq} is gone: ${event.slice(0, 200)}`);
      if (found !== null) {
        problems.push(...found.problems.map((problem) => `kill ${kills}: ${problem}`));
        const gone = missingRows(before, found.content);
        if (gone.length > 0)
          problems.push(`kill ${kills}: rows are gone: ${gone.slice(0, 3).join(' ').slice(0, 500)}`);
        if (found.runs > 1) problems.push(`kill ${kills}: there are ${found.runs} runs`);
        before = found.content;
      }
      if (!killed) {
        if (code !== 0 && code !== 1) problems.push(`it ended with code ${String(code)}: ${words}`);
        return {
          kills,
          acknowledged: acknowledged.size,
          problems,
          events: comparableEvents(found?.events ?? []),
          held: found?.held ?? nothingHeld,
        };
      }
      kills++;
      if (problems.length > 0)
        return { kills, acknowledged: acknowledged.size, problems, events: [], held: nothingHeld };
    }
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

/**
 * When a run of about `signs` signs of work is killed, `kills` times, so that it lives through them all: one in five
 * while it starts, the others in the middle of its work.
 */
export function killMoments(random: Random, signs: number, kills: number): () => KillMoment | null {
  const most = Math.max(1, Math.floor((1.5 * signs) / kills));
  let left = kills;
  return () => {
    if (left-- <= 0) return null;
    if (random.int(5) === 0) return { signs: 0, ms: random.int(1_500) };
    return { signs: 1 + random.int(most), ms: random.int(200) };
  };
}
