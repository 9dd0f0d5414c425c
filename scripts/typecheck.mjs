// The command `npm run typecheck`: one pass of tsc for each project, because each has its own fence of libraries
// and types. The plain tsconfig.json serves the editor and is left out.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');

for (const project of ['core', 'node', 'host', 'webview', 'test']) {
  const file = `tsconfig.${project}.json`;
  // What the last pass found out is kept where installed things are, so that the next one looks at changes only.
  const known = path.join(root, 'node_modules', '.cache', 'typecheck', `${project}.tsbuildinfo`);
  const { status } = spawnSync(
    process.execPath,
    [compiler, '-p', file, '--noEmit', '--incremental', '--tsBuildInfoFile', known],
    { cwd: root, stdio: 'inherit' },
  );
  if (status !== 0) {
    process.stderr.write(`${file} does not type-check.\n`);
    process.exitCode = 1;
  }
}
