/**
 * Owns the figures of a step of 100,000 calls asked by batches: the product's own ledger and store on a real file, against a
 * local server of the batch API in a process of its own; then the same step again, which finds all in the ledger. Runs with
 * the engine's own flags for Node. Keeps them in results/batchScale.json; exits with 1 when an answer is missing, wrong or
 * paid twice, or more than 400 MiB were held.
 * Usage: node test/bench/batchScale.ts [CALLS]
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { engineFlags } from '../../src/client/startEngine.ts';
import { bundleBench } from './bundled.ts';
import { writeResult } from './results.ts';

interface Measured {
  readonly wrongAnswers: number;
  readonly paid: number;
  readonly paidTwice: number;
  readonly peakOfBothMiB: number;
}

const [argument = '100000'] = process.argv.slice(2);
const { folder, script } = await bundleBench('batchClient');
try {
  const { stdout, status, stderr } = spawnSync(process.execPath, [...engineFlags, script, argument], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The bench failed: ${stderr.slice(-2_000)}`);
  const measured = JSON.parse(stdout) as Measured;
  const { wrongAnswers, paid, paidTwice, peakOfBothMiB } = measured;
  const under400MiB = peakOfBothMiB < 400;
  writeResult('batchScale', { ...measured, under400MiB });
  if (wrongAnswers > 0 || paidTwice > 0 || paid !== Number(argument) || !under400MiB) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
