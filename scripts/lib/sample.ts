// Owns the user's copy of the sample workspace: made once, brought up to date where the user left it alone, and
// never overwritten where they changed or removed something.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder, root } from './places.ts';

const source = path.join(root, 'media', 'sample');

/** The folder to open: a copy of the sample workspace that is kept from start to start. */
export function sampleWorkspace(): string {
  const copy = path.join(cacheFolder(), 'ratchet-sample');
  const record = path.join(cacheFolder(), 'ratchet-sample.json');
  updateCopy(source, copy, record);
  return copy;
}

/** Copies what is new in `from` or unchanged in `to` since it was copied; `record` remembers what was copied. */
export function updateCopy(from: string, to: string, record: string): void {
  const before = existsSync(record) && existsSync(to) ? readRecord(record) : {};
  const after: Record<string, string> = { ...before };
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const name = path.relative(from, path.join(entry.parentPath, entry.name));
    const target = path.join(to, name);
    const untouched = existsSync(target) ? before[name] === hashOf(target) : before[name] === undefined;
    if (!untouched) continue;
    mkdirSync(path.dirname(target), { recursive: true });
    cpSync(path.join(from, name), target);
    after[name] = hashOf(target);
  }
  writeFileSync(record, JSON.stringify(after, null, 2));
}

function readRecord(record: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(record, 'utf8')) as Record<string, string>;
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
