/**
 * Owns one workspace's engine for the length of its life: lock, ear, clients, runs, idle end. The engine process is this and
 * nothing else; the command line runs the same in the foreground.
 */
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import type { FileStore } from '../adapters/store/localStore.ts';
import { EngineError } from '../client/connection.ts';
import { workspacePaths, type WorkspacePaths } from '../client/endpoint.ts';
import type { Log, Store } from '../core/ports.ts';
import { type Broadcast, createBroadcast } from './broadcast.ts';
import { bundleRun, replayFile } from './bundles.ts';
import { createClients, type Clients } from './clients.ts';
import { createCosts, type Costs } from './costs.ts';
import { converse, type Conversation, type Greeted } from './greeting.ts';
import { knownRuns, stateFolder } from './knownRuns.ts';
import { watchLastWindow, type LastWindow } from './lastWindow.ts';
import { listen, type Listener } from './listen.ts';
import { openLog } from './log.ts';
import { createMethods, type MethodsContext } from './methods.ts';
import { takeOwnership, type Ownership } from './ownership.ts';
import { estimateFor } from './estimates.ts';
import { createExecutions, type RunListeners } from './executions.ts';
import { pauseInterrupted } from './runNotes.ts';
import { createRuns } from './runs.ts';
import type { EngineServices, MakeServices, ServicesOfRun } from './services.ts';
import { withStanding } from './standing.ts';
import { createStoreUpkeep } from './storeUpkeep.ts';

export interface EngineOptions {
  readonly workspaceFolder: string;
  readonly version: string;
  readonly services: MakeServices;
  /** Milliseconds without a client and without a run after which the engine ends; null: only when told. */
  readonly idleMs: number | null;
  /** Milliseconds after which a window that left is not taken for one that reloads; usually 20 s. */
  readonly windowGraceMs?: number;
}

export interface Engine {
  readonly log: Log;
  /** Pauses the runs, saves, closes, and gives the workspace up. Safe to call twice. */
  stop(reason: string): Promise<void>;
  /** Resolves when no run is executing. */
  settled(): Promise<void>;
  /** Resolves when stopped; rejects when the workspace was lost to somebody else and the process must end at once. */
  readonly ended: Promise<void>;
}

const watchMs = 1_000;

/** Starts serving the workspace; null when another living process serves it. Throws EngineError when it cannot be served. */
export async function startEngine(options: EngineOptions): Promise<Engine | null> {
  const paths = workspacePaths(options.workspaceFolder);
  makeFolder(paths);
  const ownership = await takeOwnership(paths.lock);
  if (ownership === null) return null;
  const log = openLog(paths.log);
  try {
    return await serve(options, paths, ownership, log);
  } catch (error) {
    log.error('the engine could not start', error);
    ownership.release();
    throw error;
  }
}

async function serve(
  options: EngineOptions,
  paths: WorkspacePaths,
  ownership: Ownership,
  log: Log,
): Promise<Engine> {
  const windows = createClients();
  const services = options.services(paths, log, windows);
  const clients = new Map<Socket, Conversation>();
  const end = Promise.withResolvers<void>();
  let stopping = false;

  const keptStore = openedOnce(() => openAndTell(services, broadcast, listeners, log));
  const costs = createCosts();
  const store = async () => costs.over(withStanding(await keptStore.get(), executions));
  const broadcast = createBroadcast(store, log);
  const listeners = tellAll(broadcast, costs, () => idle.touch());
  const servicesOf = (recipePath: string, opened: Store) => ({
    ...services.ofRun(path.join(paths.workspace, recipePath), opened),
    version: options.version,
  });
  const executions = createExecutions({ servicesOf, store, log, listeners });
  const known = knownRuns(stateFolder(process.env), paths.workspace, log);
  const runs = createRuns({ workspace: paths.workspace, executions, store, listeners, known });
  const graceMs = options.windowGraceMs;
  const lastWindow = watchLastWindow({ pauseRuns: executions.pauseRunning, log, graceMs });
  const isIdle = () => clients.size === 0 && executions.count() === 0;
  const idle = idleTimer(options.idleMs, isIdle, () => void stop('idle'));

  const windDown = async (reason: string) => {
    log.info('engine ending', { reason });
    clearInterval(guard);
    lastWindow.close();
    listener.close();
    await executions.pauseAll();
    broadcast.close();
    await Promise.all([...clients.values()].map((client) => client.close()));
    await (await keptStore.present())?.close();
    await services.close();
    idle.close();
    for (const socket of clients.keys()) socket.destroy();
    ownership.release();
  };
  const stop = (reason: string) => {
    if (!stopping) windDown(reason).then(end.resolve, end.reject);
    stopping = true;
    return end.promise;
  };

  const onShutdown = async () => {
    await executions.pauseAll();
    setImmediate(() => void stop('asked to'));
  };
  const onRestored = () => setImmediate(() => void stop('its database was restored'));
  const kept = { opened: keptStore.get, services, executions, listeners, onRestored };
  const upkeep = createStoreUpkeep(path.dirname(paths.database), kept);
  const methods = createMethods({
    workspace: paths.workspace,
    store,
    runs,
    upkeep,
    providers: services.providers,
    ...withoutExecution(store, servicesOf),
    clock: Date,
    onAnnotated: broadcast.annotation,
    onWindowWish: lastWindow.wish,
    onShutdown,
  });
  const onGreeted = welcome(broadcast, windows, lastWindow);
  const greeting = () => ({ token: listener.token, version: options.version, methods, log, onGreeted });
  const listener = await listen(
    paths,
    speakWith(clients, greeting, () => idle.touch()),
  );
  const guard = keepWatch(ownership, listener, log, end.reject);
  idle.touch();
  log.info('engine serving', { version: options.version });
  return { log, stop, settled: executions.settled, ended: end.promise };
}

/** Speaks with whoever connects, until they leave. */
function speakWith(
  clients: Map<Socket, Conversation>,
  greeting: () => Parameters<typeof converse>[1],
  onLeft: () => void,
): (socket: Socket) => void {
  return (socket) => {
    clients.set(socket, converse(socket, greeting()));
    socket.once('close', () => {
      clients.delete(socket);
      onLeft();
    });
  };
}

/** Answers that need a run's services and no execution of it. */
function withoutExecution(
  store: () => Promise<Store>,
  servicesOf: (recipePath: string, opened: Store) => ServicesOfRun,
): Pick<MethodsContext, 'estimate' | 'bundle' | 'replay'> {
  return {
    estimate: async (recipePath, text) => {
      const opened = await store();
      return estimateFor(text, opened, servicesOf(recipePath, opened));
    },
    bundle: async (runId, file) => {
      const opened = await store();
      return bundleRun(runId, file, opened, (recipePath) => servicesOf(recipePath, opened).files);
    },
    replay: (file) => replayFile(file, { now: Date.now, monotonic: () => performance.now() }),
  };
}

/** What happens to runs, told to all clients; `touch` is called when one may have come to stand still. */
function tellAll(
  broadcast: Broadcast,
  costs: Costs,
  touch: () => void,
): RunListeners & { onRunsChanged: () => void } {
  return {
    onEvents: broadcast.events,
    onProgress: (progress) => {
      if (costs.onProgress(progress)) broadcast.run(progress.runId);
      broadcast.progress(progress);
    },
    onChanged: (runId) => {
      broadcast.run(runId);
      touch();
    },
    onRunsChanged: broadcast.runs,
  };
}

/** A client is told things, and asked for what stays with it, until it leaves. */
function welcome(broadcast: Broadcast, windows: Clients, lastWindow: LastWindow) {
  return ({ send, peer }: Greeted) => {
    lastWindow.joined();
    const leave = [broadcast.add(send), windows.add(peer), lastWindow.left];
    return () => leave.forEach((end) => end());
  };
}

/** Opens the store, says what is to be said about it, and pauses what an earlier engine left running. */
async function openAndTell(
  services: Pick<EngineServices, 'openStore'>,
  broadcast: Broadcast,
  listeners: RunListeners,
  log: Log,
): Promise<FileStore> {
  const opened = await services.openStore();
  const { readOnly, warnings } = await opened.status();
  for (const message of warnings) {
    log.warn(message);
    broadcast.warning(message);
  }
  if (!readOnly) await pauseInterrupted(opened, listeners, log);
  return opened;
}

/** Writing on after the folder was replaced could meet another owner there; a lost socket only needs a new one. */
function keepWatch(
  ownership: Ownership,
  listener: Listener,
  log: Log,
  onLost: (error: EngineError) => void,
): NodeJS.Timeout {
  const timer = setInterval(() => {
    if (ownership.stillHeld()) {
      listener.repair().catch((error: unknown) => log.error('the socket could not be opened again', error));
      return;
    }
    clearInterval(timer);
    onLost(new EngineError('store', 'The .ratchet folder was removed or replaced, so the engine ended.'));
  }, watchMs);
  return timer.unref();
}

/** `.ratchet` keeps itself out of version control; the user's own ignore file is not touched. */
function makeFolder(paths: WorkspacePaths): void {
  try {
    mkdirSync(paths.folder, { recursive: true });
    const ignore = path.join(paths.folder, '.gitignore');
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
    // A folder of an earlier day may be read only by now, or another user's; the lock would only say that it fails.
    accessSync(paths.folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new EngineError(
      'store',
      `The folder ${paths.folder} cannot be written (${reason}); Ratchet keeps its data there.`,
      { cause },
    );
  }
}

/** One opening shared by all who ask; a failed one is tried again by the next. */
function openedOnce<Opened extends Store & { close(): Promise<void> }>(open: () => Promise<Opened>) {
  let opening: Promise<Opened> | null = null;
  const get = () => {
    opening ??= open().catch((error: unknown) => {
      opening = null;
      throw error;
    });
    return opening;
  };
  return { get, present: async () => (await opening?.catch(() => null)) ?? null };
}

/** Calls `onIdle` once nothing has happened for the time and `isIdle` still says so. */
function idleTimer(limitMs: number | null, isIdle: () => boolean, onIdle: () => void) {
  let timer: NodeJS.Timeout | undefined;
  const touch = () => {
    clearTimeout(timer);
    if (limitMs !== null) timer = setTimeout(() => (isIdle() ? onIdle() : undefined), limitMs);
  };
  return { touch, close: () => clearTimeout(timer) };
}
