/**
 * The toy engine, the toy command line and the real one as bundles, made once for each test file: started from the sources, most of a
 * test's time would go into stripping types.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import { afterAll } from 'vitest';

const from = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(path.join(os.tmpdir(), 'ratchet-toys-'));
const banner = `import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);
const __filename = import.meta.filename, __dirname = import.meta.dirname;`;

await esbuild.build({
  entryPoints: {
    toyEngine: from('./toyEngine.ts'),
    toyCli: from('../cli/toyCli.ts'),
    cli: from('../../../src/cli/main.ts'),
    storeWorker: from('../../../src/adapters/store/worker.ts'),
  },
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  banner: { js: banner },
});
copyFileSync(
  createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'),
  path.join(folder, 'sql-wasm.wasm'),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export const toyEngine = path.join(folder, 'toyEngine.mjs');
/** The command line as it ships; without Pocket, whose files are not here. */
export const shippedCli = path.join(folder, 'cli.mjs');
export const toyCli = path.join(folder, 'toyCli.mjs');
