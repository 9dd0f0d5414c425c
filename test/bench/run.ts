/**
 * Owns `npm run bench`: every bench in turn, each in its own process, so that none warms another up.
 * Usage: npm run bench [-- NAME ...]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BENCHES = [
  'sampleLoops',
  'pocketRecipes',
  'pocketSpeed',
  'bundles',
  'storeScale',
  'modelsThroughput',
  'batchScale',
  'datasetScale',
];

const asked = process.argv.slice(2);
const names = asked.length === 0 ? BENCHES : asked;
const unknown = names.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`There is no bench called ${unknown.join(', ')}; there are ${BENCHES.join(', ')}.\n`);
  process.exit(2);
}

const missed = names.filter((name) => {
  process.stderr.write(`\n== ${name}\n`);
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  return spawnSync(process.execPath, [script], { stdio: 'inherit' }).status !== 0;
});
if (missed.length > 0) {
  process.stderr.write(`Goals missed or bench failed: ${missed.join(', ')}\n`);
  process.exitCode = 1;
}
