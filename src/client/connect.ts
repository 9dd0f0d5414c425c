/**
 * Owns the way to a workspace's engine: find it, else start it, and join it. Any number of clients may try at once; the
 * operating system's lock lets one engine live, and all of them end up at that one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, type ConnectOptions, type EngineConnection } from './connection.ts';
import { dial } from './dial.ts';
import { readEndpoint, readToken, workspacePaths, type WorkspacePaths } from './endpoint.ts';
import { startEngine } from './startEngine.ts';

const startLimitMs = 20_000;
const attachLimitMs = 5_000;
const firstPauseMs = 40;
const longestPauseMs = 1_000;

/**
 * Connects to the engine of a workspace, starting it where the options allow. Null only when there is none and it was not
 * to be started. Throws EngineError, after `limitMs` at the latest, when the engine cannot be started or does not answer.
 */
export async function connectEngine(
  options: ConnectOptions,
  limitMs = options.start === 'never' ? attachLimitMs : startLimitMs,
): Promise<EngineConnection | null> {
  const paths = pathsOf(options.workspaceFolder);
  const end = performance.now() + limitMs;
  const left = () => Math.max(1, end - performance.now());
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 1.6, longestPauseMs)) {
    const found = await attach(paths, options, left());
    if (found !== null) return found;
    if (options.start === 'never') return null;
    const report = await startEngine(options, left());
    if (report?.state === 'failed') throw new EngineError(report.kind, report.sentence);
    if (report === null || left() <= pause) throw unanswered(paths);
    // Owned by another: it is starting, ending, or out of reach; only asking again tells which.
    if (report.state === 'owned') await lookFor(paths, pause);
  }
}

async function attach(
  paths: WorkspacePaths,
  options: ConnectOptions,
  limit: number,
): Promise<EngineConnection | null> {
  const endpoint = readEndpoint(paths);
  const token = endpoint === null ? null : readToken(paths, endpoint);
  if (endpoint === null || token === null) return null;
  const result = await dial({ address: endpoint.address, token, limitMs: limit }, options);
  if (result === 'silent') throw unanswered(paths);
  return result === 'nobody' ? null : result;
}

/** Waits, but no longer than until a note appears. */
async function lookFor(paths: WorkspacePaths, pauseMs: number): Promise<void> {
  const end = performance.now() + pauseMs;
  const before = readEndpoint(paths)?.pid;
  while (performance.now() < end) {
    await sleep(20);
    const now = readEndpoint(paths)?.pid;
    if (now !== undefined && now !== before) return;
  }
}

function pathsOf(folder: string): WorkspacePaths {
  try {
    return workspacePaths(folder);
  } catch (cause) {
    throw new EngineError('notFound', `The workspace folder ${folder} is not there.`, { cause });
  }
}

function unanswered(paths: WorkspacePaths): EngineError {
  const pid = readEndpoint(paths)?.pid;
  const who = pid === undefined ? 'Another process' : `The engine (process ${pid})`;
  return new EngineError(
    'unreachable',
    `${who} owns this workspace but does not answer; it may be suspended or run elsewhere. End it, then try again.`,
  );
}
