/**
 * Owns where a workspace's engine is found: the names inside `.ratchet`, the private folder of the socket and its token,
 * and the note that joins them. Shared by both ends. Deliberately neither connects, nor listens, nor locks.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as z from 'zod';

/** Files of one workspace; all absolute. */
export interface WorkspacePaths {
  /** The workspace's real path: the same however a client spells it. */
  readonly workspace: string;
  /** `.ratchet` inside it. */
  readonly folder: string;
  /** Held under an exclusive lock by the engine for its whole life; nobody else may open it (POSIX drops locks on close). */
  readonly lock: string;
  /** Says where the engine listens. No secret. */
  readonly note: string;
  readonly log: string;
  readonly database: string;
  /** Names this workspace's socket and token: a hash of its real path. */
  readonly key: string;
}

/** Throws when the folder does not exist. */
export function workspacePaths(workspaceFolder: string): WorkspacePaths {
  const workspace = realpathSync.native(workspaceFolder);
  const folder = path.join(workspace, '.ratchet');
  return {
    workspace,
    folder,
    lock: path.join(folder, 'engine.lock'),
    note: path.join(folder, 'engine.json'),
    log: path.join(folder, 'engine.log'),
    database: path.join(folder, 'workspace.ratchetdb'),
    key: createHash('sha256').update(workspace).digest('hex').slice(0, 24),
  };
}

/** Where an engine listens, as its note says. */
export interface Endpoint {
  readonly pid: number;
  /** Socket path, or the name of a pipe on Windows. */
  readonly address: string;
  /** The private folder that holds the token, and the socket where there is one. */
  readonly folder: string;
}

const noteShape = z.object({ pid: z.number().int(), address: z.string(), folder: z.string() });

/** The names of a private folder's members for one workspace. */
export function privateNames(
  folder: string,
  key: string,
): { readonly socket: string; readonly token: string } {
  return { socket: path.join(folder, `${key}.sock`), token: path.join(folder, `${key}.token`) };
}

/**
 * Folders that may hold the socket, best first. Linux keeps socket paths under 108 bytes and macOS under 104, so a long
 * temporary folder is passed over.
 */
export function privateFolderChoices(key: string): readonly string[] {
  if (process.platform === 'win32') return [path.join(os.tmpdir(), 'ratchet')];
  const runtime = process.env.XDG_RUNTIME_DIR;
  const ofUser = `ratchet-${os.userInfo().uid}`;
  const choices = [
    ...(runtime === undefined || !path.isAbsolute(runtime) ? [] : [path.join(runtime, 'ratchet')]),
    path.join(os.tmpdir(), ofUser),
    path.join('/tmp', ofUser),
  ];
  return choices.filter((folder) => Buffer.byteLength(privateNames(folder, key).socket) < 104);
}

/** True when the folder is a real folder of this user that nobody else may enter. Windows keeps it per user by itself. */
export function isPrivateFolder(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined || !found.isDirectory()) return false;
  return process.platform === 'win32' || (found.uid === os.userInfo().uid && (found.mode & 0o077) === 0);
}

/**
 * The endpoint a workspace's note names, or null when there is none to trust. A note may have come with the folder (an
 * archive, a shared disk), so it is believed only where it names this workspace's own socket in a private folder.
 */
export function readEndpoint(paths: WorkspacePaths): Endpoint | null {
  const text = readIfThere(paths.note);
  if (text === null) return null;
  const note = noteShape.safeParse(parseJson(text));
  if (!note.success || !isPrivateFolder(note.data.folder)) return null;
  const { address, folder } = note.data;
  const expected =
    process.platform === 'win32'
      ? address.startsWith(`\\\\.\\pipe\\ratchet-${paths.key}-`)
      : address === privateNames(folder, paths.key).socket;
  return expected ? note.data : null;
}

/** The token a client must show, or null when its file is gone. */
export function readToken(paths: WorkspacePaths, endpoint: Endpoint): string | null {
  return readIfThere(privateNames(endpoint.folder, paths.key).token);
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
