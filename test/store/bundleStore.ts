/** Owns opening a crash state as a user's machine would: real files in a folder, the shipped bundle in a worker thread of its own. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStore } from '../../src/adapters/store/store.ts';
import { contentOf, difference } from './contents.ts';
import type { CrashState } from './crashStates.ts';
import { memoryFiles } from './memoryFiles.ts';
import type { Expected } from './reopen.ts';
import { MIGRATIONS, openDatabase, wasm, wasmFile, workerUrl } from './shipped.ts';
import { STORE } from './workload.ts';

async function contentOfFile(file: string): Promise<string> {
  const { files } = memoryFiles({ initial: new Map([[file, new Uint8Array(readFileSync(file))]]) });
  const database = await openDatabase({ file, wasm, files });
  const content = contentOf(database);
  database.close();
  return content;
}

/** What is wrong with the state as the shipped bundle opens it, or null. States of a later schema are not for it. */
export async function bundleProblem(state: CrashState, expected: Expected): Promise<string | null> {
  if (expected.migrations !== MIGRATIONS || expected.allowed === null) return null;
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-crash-'));
  try {
    for (const [name, bytes] of state.files) {
      const place = path.join(folder, name);
      mkdirSync(path.dirname(place), { recursive: true });
      writeFileSync(place, bytes);
    }
    const store = await openStore({ file: path.join(folder, STORE), workerUrl, wasmFile });
    try {
      const { problems } = await store.verify();
      if (problems.length > 0) return `verify in the bundle: ${problems.join(' ')}`;
      const copy = path.join(folder, 'copy.ratchetdb');
      await store.exportTo(copy);
      const content = await contentOfFile(copy);
      if (expected.allowed.includes(content)) return null;
      return `the bundle shows what was never promised: ${difference(content, expected.allowed[0] ?? '')}`;
    } finally {
      await store.close();
    }
  } catch (error) {
    return `the bundle cannot open it: ${String(error)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
