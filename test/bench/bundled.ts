/**
 * Owns bundling a bench's own process as the product is, with the store's worker beside it: loading sources takes memory
 * that no user's machine gives. Deliberately runs nothing.
 */
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { assets } from '../../src/engine/assets.ts';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** The folder of the bundle, to be removed by who asked for it; `name` is that of a file of this folder without `.ts`. */
export async function bundleBench(
  name: string,
): Promise<{ readonly folder: string; readonly script: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-bench-'));
  await build({
    entryPoints: { [name]: here(`./${name}.ts`), storeWorker: here('../../src/adapters/store/worker.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['esbuild'],
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url); const __filename = import.meta.filename, __dirname = import.meta.dirname;",
    },
    logLevel: 'error',
  });
  copyFileSync(assets.wasmFile, path.join(folder, 'sql-wasm.wasm'));
  return { folder, script: path.join(folder, `${name}.mjs`) };
}
