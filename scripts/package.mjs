// The command `npm run package`: builds, packs ratchet.vsix, shows what is in it, and refuses one that grew too big.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';

const largestBytes = 2_500_000;
const root = path.resolve(import.meta.dirname, '..');
const vsce = path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
const output = path.join(root, 'ratchet.vsix');

const packing = [
  vsce,
  'package',
  '--no-dependencies',
  '--allow-missing-repository',
  '--no-rewrite-relative-links',
  '--out',
  output,
];
// The packer itself shows only the folders; the list shows each file.
for (const args of [['esbuild.mjs'], packing, [vsce, 'ls', '--no-dependencies']]) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const { size } = statSync(output);
process.stdout.write(`ratchet.vsix: ${(size / 1e6).toFixed(2)} MB\n`);
if (size > largestBytes) {
  process.stderr.write(`That is more than the ${(largestBytes / 1e6).toFixed(1)} MB allowed.\n`);
  process.exit(1);
}
