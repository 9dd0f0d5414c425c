// Owns presenting a built extension to an editor server: a folder inside its extensions folder that holds the
// manifest and links to the rest, so that a rebuild shows after a reload and removing the extension there never
// touches the checkout.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const linked = ['dist', 'media'] as const;
const copied = ['package.json', 'package.nls.json', 'README.md', 'CHANGELOG.md', 'LICENSE'] as const;

/** Puts the extension of folder `source` into the folder `extensions`, replacing an earlier one of that name. */
export function stageExtension(source: string, extensions: string): void {
  const manifest: unknown = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8'));
  const target = path.join(extensions, `${field(manifest, 'publisher')}.${field(manifest, 'name')}`);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const name of copied) {
    if (existsSync(path.join(source, name))) copyFileSync(path.join(source, name), path.join(target, name));
  }
  for (const name of linked) {
    if (existsSync(path.join(source, name)))
      symlinkSync(path.join(source, name), path.join(target, name), 'junction');
  }
  // The editor lists extensions from this file when it is there, and then misses one put in by hand.
  rmSync(path.join(extensions, 'extensions.json'), { force: true });
}

function field(manifest: unknown, name: string): string {
  const value = (manifest as Readonly<Record<string, unknown>>)[name];
  if (typeof value !== 'string') throw new Error(`package.json has no ${name}`);
  return value;
}
