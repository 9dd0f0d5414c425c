/** Owns one batch as a process of its own: its part and seed are the arguments, its tally is sent to the parent. */
import process from 'node:process';
import { BATCHES } from './batches.ts';

const [part = '', seed] = process.argv.slice(2);
const batch = BATCHES[part];
if (batch === undefined || process.send === undefined)
  throw new Error('Started by run.ts, with a part and a seed.');
// The parent was stopped: what this batch finds would be told to nobody.
process.on('disconnect', () => process.exit(1));
process.send(await batch(Number(seed)), () => process.exit(0));
