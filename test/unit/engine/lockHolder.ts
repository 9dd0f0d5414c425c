/** Takes a workspace's lock, says so, and holds it until it is told or killed. */
import { takeOwnership } from '../../../src/engine/ownership.ts';

const [file] = process.argv.slice(2);
const ownership = await takeOwnership(file ?? '');
process.stdout.write(ownership === null ? 'owned\n' : 'held\n');
if (ownership !== null) setInterval(() => undefined, 1000);
