/** Owns the sentences a person reads when the store fails. Deliberately adds no cause it does not know. */
import { StoreError } from '../../core/ports.ts';
import type { Fault } from './mounts.ts';

const BY_CODE: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: (path) => `The disk is full, so ${path} could not be written. Free some space, then resume.`,
  EDQUOT: (path) =>
    `Your disk quota is used up, so ${path} could not be written. Free some space, then resume.`,
  EFBIG: (path) =>
    `${path} has reached the largest size its file system allows. Move the workspace to another disk.`,
  EROFS: (path) => `${path} is on a read-only disk. Make it writable or open a copy of the workspace.`,
  EACCES: (path) => `${path} may not be used by this user. Change its permissions, then try again.`,
  EPERM: (path) => `${path} may not be used by this user. Change its permissions, then try again.`,
  EMFILE: (path) =>
    `Too many files are open, so ${path} could not be used. Close some programs, then resume.`,
  ENFILE: (path) =>
    `Too many files are open, so ${path} could not be used. Close some programs, then resume.`,
  EIO: (path) =>
    `The disk failed while ${path} was in use. What was saved before is kept; check the disk, then resume.`,
};

/** The error for a failure of the operating system. */
export function faultError(fault: Fault, cause?: unknown): StoreError {
  if (fault.code === 'DAMAGED')
    return damageError(fault.path, 'a page of it is not as it was written', cause);
  const say =
    BY_CODE[fault.code] ??
    ((path: string) => `${path} could not be used (${fault.operation}: ${fault.code}).`);
  return new StoreError(say(fault.path), fault.code, { cause });
}

/** The error for a file whose content is not what was saved; nothing was changed or deleted. */
export function damageError(file: string, what: string, cause?: unknown): StoreError {
  return new StoreError(
    `${file} is damaged: ${what}. Nothing in it was changed; "ratchet store restore" puts the newest good backup in its place and keeps this file.`,
    'DAMAGED',
    { cause },
  );
}

/** The sentence for a write to a file that a newer version made. */
export function newerError(file: string): StoreError {
  return new StoreError(
    `${file} was written by a newer version of Ratchet, so this one only reads it. Update Ratchet to change it.`,
    'NEWER',
  );
}

/** The error for whatever SQLite threw while it did something with `file`. */
export function sqlError(file: string, error: unknown, fault: Fault | null): StoreError {
  if (error instanceof StoreError) return error;
  if (fault !== null) return faultError(fault, error);
  const message = error instanceof Error ? error.message : String(error);
  if (/malformed|not a database/.test(message)) return damageError(file, message, error);
  return new StoreError(`${file} could not be read or written: ${message}.`, null, { cause: error });
}
