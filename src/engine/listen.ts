/**
 * Owns the engine's ear: a socket in a private folder (a named pipe on Windows), the token beside it, and the note that
 * leads clients there. Only the lock's holder calls this, so a socket found in the way is a dead engine's.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { EngineError } from '../client/connection.ts';
import {
  isPrivateFolder,
  privateFolderChoices,
  privateNames,
  type Endpoint,
  type WorkspacePaths,
} from '../client/endpoint.ts';

export interface Listener {
  readonly token: string;
  /** Opens the ear again where a cleaner of temporary files, say, took the socket, the token or the note. */
  readonly repair: () => Promise<void>;
  /** Takes no new client and removes note, token and socket. Connections that exist go on. */
  readonly close: () => void;
}

/** Throws EngineError when there is no private folder to be had or the socket cannot be opened. */
export async function listen(paths: WorkspacePaths, onClient: (socket: Socket) => void): Promise<Listener> {
  const token = randomBytes(32).toString('base64url');
  const pipe = `\\\\.\\pipe\\ratchet-${paths.key}-${randomBytes(8).toString('hex')}`;
  const open = async () => {
    const folder = preparePrivateFolder(paths.key);
    const names = privateNames(folder, paths.key);
    const address = process.platform === 'win32' ? pipe : names.socket;
    rmSync(names.socket, { force: true });
    writePrivate(names.token, token);
    const server = await listening(address, onClient);
    const files =
      process.platform === 'win32' ? [paths.note, names.token] : [paths.note, names.token, address];
    if (process.platform !== 'win32') chmodSync(address, 0o600);
    const endpoint: Endpoint = { pid: process.pid, address, folder };
    writePrivate(paths.note, JSON.stringify(endpoint));
    return { server, files };
  };
  let { server, files } = await open();
  const close = () => {
    for (const file of files) rmSync(file, { force: true });
    server.close();
  };
  return {
    token,
    repair: async () => {
      if (files.every((file) => existsSync(file))) return;
      close();
      ({ server, files } = await open());
    },
    close,
  };
}

function listening(address: string, onClient: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onClient);
    server.once('error', (cause) =>
      reject(
        new EngineError('unreachable', `The engine cannot listen at ${address} (${cause.message}).`, {
          cause,
        }),
      ),
    );
    server.listen(address, () => resolve(server));
  });
}

/** The first choice that is, or can be made, a folder only this user may enter. */
function preparePrivateFolder(key: string): string {
  const choices = privateFolderChoices(key);
  const found = choices.find((folder) => {
    try {
      if (!statSync(path.dirname(folder)).isDirectory()) return false;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return isPrivateFolder(folder);
    } catch {
      return false;
    }
  });
  if (found !== undefined) return found;
  throw new EngineError(
    'unreachable',
    `None of ${choices.join(', ')} can be a folder for you alone; remove the one in the way or set XDG_RUNTIME_DIR.`,
  );
}

/** Whole or not at all, and never readable by others, not even while it is written. */
function writePrivate(file: string, text: string): void {
  const draft = `${file}.${process.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  renameSync(draft, file);
}
