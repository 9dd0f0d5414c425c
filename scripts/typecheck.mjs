// The command `npm run typecheck`: one pass of tsc for each project, because each has its own fence of libraries
// and types. The plain tsconfig.json serves the editor and is left out.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');

for (const project of ['core', 'node', 'host', 'webview', 'test']) {
  const file = `tsconfig.${project}.json`;
  const { status } = spawnSync(process.execPath, [compiler, '-p', file, '--noEmit'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) {
    process.stderr.write(`${file} does not type-check.\n`);
    process.exitCode = 1;
  }
}
