/**
 * Owns the speed figures of Pocket: sampling against its plain twin (same algorithm, cache and batching), a training
 * step against @jax-js/jax on the same shape. Prints JSON and writes it to test/bench/results/pocketSpeed.json.
 * Usage: node test/bench/pocketSpeed.ts
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { additionInput, drawAddition } from '../../src/core/acquire/addition.ts';
import { stream } from '../../src/core/measure/random.ts';
import { fromHalves } from '../../src/adapters/pocket/halfPrecision.ts';
import { openInference } from '../../src/adapters/pocket/inference.ts';
import { plainDevice, wasmDevice } from '../../src/adapters/pocket/kernels/device.ts';
import type { Device } from '../../src/adapters/pocket/kernels/kernels.ts';
import { openLearner } from '../../src/adapters/pocket/learner.ts';
import { sample } from '../../src/adapters/pocket/sampler.ts';
import { layoutOf, pocketShape } from '../../src/adapters/pocket/shape.ts';
import { drawableTokens, encodePrompt } from '../../src/adapters/pocket/text.ts';
import { measureJax } from './pocketJax.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const kernels = new Uint8Array(readFileSync(`${root}media/pocket/kernels.wasm`));
const weights = fromHalves(new Uint8Array(readFileSync(`${root}media/pocket/weights.bin`)));
const devices = {
  wasm: (bytes: number) => wasmDevice(kernels, bytes),
  plain: (bytes: number) => plainDevice(bytes),
};
type MakeDevice = (bytes: number) => Device;

/** Processor milliseconds of the fastest of some repeats: the machine may be busy with something else. */
function fastest(repeats: number, run: () => void): number {
  let best = Infinity;
  for (let i = 0; i < repeats; i++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

/** Tokens drawn a second: worked answers to `count` problems, four samples each. */
function sampling(makeDevice: MakeDevice, count: number, repeats: number): number {
  const options = { streams: 64, rows: 256, drawable: drawableTokens };
  const inference = openInference(makeDevice, pocketShape, options);
  inference.load(weights);
  const random = stream(1, 'speed');
  const requests = Array.from({ length: count }, () => {
    const input = additionInput(drawAddition(random, 3, 'dev'));
    return encodePrompt([
      { role: 'system', content: 'think step by step' },
      { role: 'user', content: input },
    ]);
  }).flatMap((prompt, i) =>
    [0, 1, 2, 3].map((j) => ({ prompt, temperature: 1, maxTokens: 64, seed: 4 * i + j })),
  );
  let drawn = 0;
  const ms = fastest(repeats, () => {
    drawn = sample(
      inference,
      pocketShape.context,
      requests,
      () => false,
      () => {},
    ).drawn;
  });
  return Math.round((1000 * drawn) / ms);
}

const [batch, length] = [32, 64];

/** Milliseconds of a whole step, optimizer included, every token learned. */
function training(makeDevice: MakeDevice, repeats: number): number {
  const learner = openLearner(makeDevice, pocketShape, batch * length);
  learner.load(weights);
  const random = stream(1, 'speed');
  const sequences = Array.from({ length: batch }, () => ({
    prompt: [1],
    completion: Array.from({ length }, () => random.int(pocketShape.vocabulary)),
  }));
  return fastest(repeats, () => {
    learner.gradient(sequences, (logs) => logs.map(() => 1 / (batch * length)));
    learner.update(1e-3, 0.01);
  });
}

const tokens = { wasm: sampling(devices.wasm, 192, 12), plain: sampling(devices.plain, 16, 3) };
const steps = { wasm: training(devices.wasm, 20), plain: training(devices.plain, 2) };
const jax = await measureJax(pocketShape, batch, length, 8);
const result = {
  machine: cpus()[0]?.model ?? 'unknown',
  node: process.version,
  weights: layoutOf(pocketShape).count,
  sampling: {
    unit: 'tokens drawn per second of processor time, prompts read besides',
    ...tokens,
    ratio: Math.round((10 * tokens.wasm) / tokens.plain) / 10,
  },
  training: {
    unit: `processor milliseconds a step, ${batch} sequences of ${length} tokens, best of the repeats`,
    wasm: Math.round(10 * steps.wasm) / 10,
    plain: Math.round(steps.plain),
    jax: Math.round(jax),
    ratioToJax: Math.round((10 * jax) / steps.wasm) / 10,
  },
};
const text = `${JSON.stringify(result, null, 2)}\n`;
mkdirSync(`${root}test/bench/results`, { recursive: true });
writeFileSync(`${root}test/bench/results/pocketSpeed.json`, text);
process.stdout.write(text);
process.exit(0);
