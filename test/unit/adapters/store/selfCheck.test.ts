import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type HostFiles, nodeFiles } from '../../../../src/adapters/store/hostFiles.ts';
import { checkFolder } from '../../../../src/adapters/store/selfCheck.ts';
import { inFolder } from './samples.ts';

const failing = (operation: keyof HostFiles, code: string): HostFiles => ({
  ...nodeFiles,
  [operation]: () => {
    throw Object.assign(new Error(code), { code });
  },
});

/** A disk that gives back something else. */
const changing: HostFiles = {
  ...nodeFiles,
  read: (descriptor, into, offset, length, position) => {
    const read = nodeFiles.read(descriptor, into, offset, length, position);
    into[offset + 5] = (into[offset + 5] ?? 0) ^ 1;
    return read;
  },
};

/** A disk that forgets what it was given. */
const forgetting: HostFiles = { ...nodeFiles, write: (_descriptor, _from, _offset, length) => length };

function within(work: (database: string) => void): Promise<void> {
  return inFolder((folder) => {
    const own = path.join(folder, '.ratchet');
    mkdirSync(own);
    work(path.join(own, 'workspace.ratchetdb'));
    expect(readdirSync(own)).toEqual([]);
    return Promise.resolve();
  });
}

describe('before a store is opened, its folder', () => {
  test('is tried, and nothing of that stays', () => within((database) => checkFolder(database, nodeFiles)));

  test('is not made where there is none', () =>
    inFolder((folder) => {
      checkFolder(path.join(folder, 'none', 'workspace.ratchetdb'), nodeFiles);
      expect(readdirSync(folder)).toEqual([]);
      return Promise.resolve();
    }));

  test('is really written to and synced', () =>
    within((database) => {
      const done: string[] = [];
      const watched = Object.fromEntries(
        (['write', 'sync', 'read', 'remove'] as const).map((operation) => [
          operation,
          (...parameters: readonly unknown[]) => {
            done.push(operation);
            return (nodeFiles[operation] as (...rest: readonly unknown[]) => unknown)(...parameters);
          },
        ]),
      );
      checkFolder(database, { ...nodeFiles, ...watched });
      expect(done).toEqual(['write', 'sync', 'read', 'remove']);
    }));

  test.each([
    ['changes', changing],
    ['forgets', forgetting],
  ])('is refused by name where it %s what is written to it', (_how, files) =>
    within((database) =>
      expect(() => checkFolder(database, files)).toThrow(
        `${path.dirname(database)} does not give back what is written to it`,
      ),
    ),
  );

  test.each(['EIO', 'EMFILE'])('is refused with the reason where it fails with %s', (code) =>
    within((database) => {
      for (const operation of ['write', 'sync', 'read'] as const)
        expect(() => checkFolder(database, failing(operation, code))).toThrow('self-check.tmp');
    }),
  );

  test.each(['EROFS', 'EACCES', 'ENOSPC'])('is not refused for %s, which opening meets itself', (code) =>
    within((database) => checkFolder(database, failing('open', code))),
  );
});
