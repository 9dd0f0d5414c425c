/**
 * Owns the memory of which runs were begun, or agreed to, by this user on this machine: one small file for each run outside
 * of every workspace, so that a database that came with a repository is never taken for one's own. Deliberately holds
 * nothing but that: no text of a recipe, no name of a folder.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { RunId } from '../core/model/ids.ts';
import type { Log } from '../core/ports.ts';

/** What a yes is given to: a run of this text and seed in this folder. Any of them changed, it is asked for again. */
export interface KnownRun {
  readonly runId: RunId;
  readonly recipeText: string;
  readonly seed: number;
}

export interface KnownRuns {
  readonly has: (run: KnownRun) => boolean;
  /** Where it cannot be noted, the next resume asks, which is safe. */
  readonly note: (run: KnownRun) => void;
}

/** The folder of this user's own notes: RATCHET_STATE, else where the system wants such files. */
export function stateFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const { RATCHET_STATE: named, XDG_STATE_HOME: state, LOCALAPPDATA: local } = environment;
  if (named !== undefined && path.isAbsolute(named)) return named;
  if (process.platform === 'win32')
    return path.join(local ?? path.join(os.homedir(), 'AppData', 'Local'), 'ratchet');
  if (process.platform === 'darwin')
    return path.join(os.homedir(), 'Library', 'Application Support', 'ratchet');
  const home =
    state !== undefined && path.isAbsolute(state) ? state : path.join(os.homedir(), '.local', 'state');
  return path.join(home, 'ratchet');
}

/** `workspace` is its real path: a copy of the folder elsewhere is not the same. */
export function knownRuns(folder: string, workspace: string, log: Pick<Log, 'warn'>): KnownRuns {
  const kept = path.join(folder, 'runs');
  const fileOf = ({ runId, recipeText, seed }: KnownRun): string => {
    const digest = createHash('sha256').update(JSON.stringify([workspace, runId, recipeText, seed]));
    return path.join(kept, digest.digest('hex'));
  };
  return {
    has: (run) => existsSync(fileOf(run)),
    note: (run) => {
      try {
        mkdirSync(kept, { recursive: true, mode: 0o700 });
        writeFileSync(fileOf(run), '', { mode: 0o600 });
      } catch (error) {
        log.warn('that this run was begun here could not be noted; resuming it will ask', error);
      }
    },
  };
}
