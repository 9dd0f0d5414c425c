// The command `npm test`. Owns nothing but the order: packages and Node first, then the typed part, which can only
// be loaded under the project's Node.
import { fileURLToPath } from 'node:url';
import { underProjectNode } from './lib/bootstrap.mjs';

if (await underProjectNode(fileURLToPath(import.meta.url))) {
  const { runEverything } = await import('./lib/everyTest.ts');
  process.exitCode = await runEverything();
}
