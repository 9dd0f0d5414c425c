import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { takeOwnership, type Ownership } from '../../../src/engine/ownership.ts';
import { cleanUp, newFolder, start } from './helpers.ts';

const holder = fileURLToPath(new URL('./lockHolder.ts', import.meta.url));
const taken: Ownership[] = [];

afterEach(async () => {
  for (const ownership of taken.splice(0)) ownership.release();
  await cleanUp();
});

async function take(file: string): Promise<Ownership | null> {
  const ownership = await takeOwnership(file);
  if (ownership !== null) taken.push(ownership);
  return ownership;
}

async function firstWord(child: ChildProcess): Promise<string> {
  const [data] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return data.toString().trim();
}

describe('ownership of a workspace', () => {
  test('one process at a time, and the next one after the holder is killed', async () => {
    const file = path.join(newFolder(), 'engine.lock');
    const first = start(holder, [file]);
    expect(await firstWord(first)).toBe('held');
    expect(await take(file)).toBeNull();
    const ended = once(first, 'close');
    first.kill('SIGKILL');
    await ended;
    expect(await take(file)).not.toBeNull();
    expect(await firstWord(start(holder, [file]))).toBe('owned');
  });

  test('a stopped holder keeps it, however long it sleeps', async () => {
    const file = path.join(newFolder(), 'engine.lock');
    const first = start(holder, [file]);
    expect(await firstWord(first)).toBe('held');
    first.kill('SIGSTOP');
    for (let tries = 0; tries < 10; tries++) {
      expect(await take(file)).toBeNull();
      await sleep(50);
    }
    first.kill('SIGCONT');
    expect(await take(file)).toBeNull();
  });

  test('release gives it back within the process', async () => {
    const file = path.join(newFolder(), 'engine.lock');
    const first = await take(file);
    expect(await take(file)).toBeNull();
    first?.release();
    expect(await take(file)).not.toBeNull();
  });

  test('a replaced or removed lock file is noticed', async () => {
    const file = path.join(newFolder(), 'engine.lock');
    const ownership = await take(file);
    expect(ownership?.stillHeld()).toBe(true);
    renameSync(file, `${file}.away`);
    expect(ownership?.stillHeld()).toBe(false);
    writeFileSync(file, '');
    expect(ownership?.stillHeld()).toBe(false);
  });

  test('a folder whose locks exclude nobody is refused, and the lock is given back', async () => {
    const file = path.join(newFolder(), 'engine.lock');
    await expect(takeOwnership(file, async () => true)).rejects.toThrow(/locks do not work in this folder/);
    expect(await take(file)).not.toBeNull();
  });

  test('the check by another process finds a lock that is not held', async () => {
    const folder = newFolder();
    const held = path.join(folder, 'engine.lock');
    const free = path.join(folder, 'free.lock');
    const { lockFromOutside } = await import('../../../src/engine/ownership.ts');
    await take(held);
    expect(await lockFromOutside(held)).toBe(false);
    expect(await lockFromOutside(free)).toBe(true);
  });

  test('a folder that cannot be written, or a foreign lock file, is refused with a sentence and left as it is', async () => {
    const folder = newFolder();
    await expect(take(path.join(folder, 'missing', 'engine.lock'))).rejects.toThrow(/cannot be locked/);
    const foreign = path.join(folder, 'engine.lock');
    const text = 'this is no database, but it is long enough to look like one '.repeat(20);
    writeFileSync(foreign, text);
    await expect(take(foreign)).rejects.toThrow(/not Ratchet's own/);
    expect(readFileSync(foreign, 'utf8')).toBe(text);
  });
});
