/** What every proof in this folder runs on is what people install. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { wasmFile, workerUrl } from './shipped.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const PROVED = [fileURLToPath(workerUrl), wasmFile];

test('the bundle under test is, byte for byte, what the build makes of the sources now', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-build-'));
  try {
    await run(process.execPath, [path.join(root, 'esbuild.mjs'), '--out', folder]);
    for (const file of PROVED) {
      const built = readFileSync(path.join(folder, path.basename(file)));
      const isSame = readFileSync(file).equals(built);
      expect(isSame, `${path.basename(file)} is not of these sources: run "npm run build"`).toBe(true);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the package holds it under the same path', async () => {
  const vsce = createRequire(import.meta.url).resolve('@vscode/vsce/vsce');
  const { stdout } = await run(process.execPath, [vsce, 'ls', '--no-dependencies'], { cwd: root });
  const listed = stdout.split(/\r?\n/);
  for (const file of PROVED) expect(listed).toContain(path.relative(root, file).replaceAll(path.sep, '/'));
});
