/** Owns the child process of the kill test: opens a store in its worker and commits one experience after the other. */
import { writeSync } from 'node:fs';
import { openStore } from '../../../../src/adapters/store/store.ts';
import {
  begun,
  place,
  runId,
  sampleEffect,
  sampleFeedback,
  sampleSolution,
  solve,
  wasmFile,
  workerUrl,
} from './samples.ts';

const file = process.argv[2] ?? '';
const store = await openStore({ file, wasmFile, workerUrl });
await begun(store);
const { problems } = await store.verify();
const counts = await store.experienceCounts(runId);
const found = counts.reduce((sum, { count }) => sum + count, 0);
writeSync(1, `OPEN ${found} ${problems.length === 0 ? 'ok' : problems.join('; ')}\n`);
// The kill may have come between the last pair of writes: its second half is settled now.
if (found > 0) await store.settleEffects(runId, [sampleEffect(`k${found - 1}`, solve)]);
for (let number = found; ; number++) {
  const solution = sampleSolution(`s${number}`, 'task0', solve, `${number}`.padEnd(1500, 'x'));
  // Two writes at once, so that groups are cut, too.
  await Promise.all([
    store.commit({
      runId,
      events: [{ kind: 'warningRaised', message: `${number}`, at: place(1, 'solve') }],
      solutions: [{ ...solution, key: solution.id as never }],
      feedback: [sampleFeedback(`s${number}`, 1)],
    }),
    store.settleEffects(runId, [sampleEffect(`k${number}`, solve)]),
  ]);
  writeSync(1, `ACK ${number}\n`);
}
