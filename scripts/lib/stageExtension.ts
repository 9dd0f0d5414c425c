// Owns presenting a built extension to an editor server: a copy of what is shipped inside its extensions folder. A
// copy and not links, because the editor tells whose code is running by the real path of the file.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const shipped = [
  'package.json',
  'package.nls.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'dist',
  'media',
] as const;

/** Puts the extension of folder `source` into the folder `extensions`, replacing an earlier one of that name. */
export function stageExtension(source: string, extensions: string): void {
  const manifest: unknown = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8'));
  const target = path.join(extensions, `${field(manifest, 'publisher')}.${field(manifest, 'name')}`);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const name of shipped) {
    if (existsSync(path.join(source, name))) {
      cpSync(path.join(source, name), path.join(target, name), { recursive: true });
    }
  }
  // The editor lists extensions from this file when it is there, and then misses one put in by hand.
  rmSync(path.join(extensions, 'extensions.json'), { force: true });
}

function field(manifest: unknown, name: string): string {
  const value = (manifest as Readonly<Record<string, unknown>>)[name];
  if (typeof value !== 'string') throw new Error(`package.json has no ${name}`);
  return value;
}
