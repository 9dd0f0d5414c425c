// Owns the build of Pocket's kernels: AssemblyScript to media/pocket/kernels.wasm (or to the path given), SIMD but never relaxed SIMD.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = 'src/adapters/pocket/kernels';
const output = process.argv[2] ?? 'media/pocket/kernels.wasm';

const result = spawnSync(
  process.execPath,
  [
    'node_modules/assemblyscript/bin/asc.js',
    ...['matrix', 'rows', 'attention', 'output'].map((name) => `${folder}/${name}.as.ts`),
    ...['-o', output, '-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd'],
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = result.status ?? 1;
