// Owns where things are: the checkout, and the cache outside it that survives a clean checkout.
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..', '..');

/** The folder for what is costly to make again, created when absent: RATCHET_CACHE, else the system's own place. */
export function cacheFolder(): string {
  const folder = process.env.RATCHET_CACHE ?? path.join(systemCache(), 'ratchet');
  mkdirSync(folder, { recursive: true });
  return path.resolve(folder);
}

function systemCache(): string {
  if (process.platform === 'darwin') return path.join(homedir(), 'Library', 'Caches');
  if (process.platform === 'win32') {
    return process.env.LOCALAPPDATA ?? path.join(homedir(), 'AppData', 'Local');
  }
  return process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
}
