/**
 * Owns the pre-training of Pocket's base weights: the same seed and steps give the same bytes. Writes
 * media/pocket/weights.bin (half precision) and media/pocket/model.json (how they came about and what they can do).
 * Usage: node scripts/pocket-train.ts [--seed 1] [--steps 2000] [--out media/pocket]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { additionInput, additionReference, drawAddition } from '../src/core/acquire/addition.ts';
import { pick, stream } from '../src/core/measure/random.ts';
import { fromHalves, toHalves } from '../src/adapters/pocket/halfPrecision.ts';
import { openInference } from '../src/adapters/pocket/inference.ts';
import { initialWeights } from '../src/adapters/pocket/initialWeights.ts';
import { wasmDevice } from '../src/adapters/pocket/kernels/device.ts';
import { openLearner, rowsOf } from '../src/adapters/pocket/learner.ts';
import { drawExample, pocketMixture } from '../src/adapters/pocket/mixture.ts';
import { elicitingPhrases, neutralPhrases, suppressingPhrases } from '../src/adapters/pocket/phrases.ts';
import { sample } from '../src/adapters/pocket/sampler.ts';
import { pocketShape } from '../src/adapters/pocket/shape.ts';
import { decode, drawableTokens, encodePrompt } from '../src/adapters/pocket/text.ts';
import { batchTokens, learn, likelihoodBatch, mixtureSequence } from '../src/adapters/pocket/train.ts';
import type { Sequence } from '../src/adapters/pocket/learner.ts';

const peakRate = 3e-3;
const decay = 0.05;
const warmUp = 100;

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '2000' },
    out: { type: 'string', default: `${root}media/pocket` },
  },
});
const seed = Number(values.seed);
const steps = Number(values.steps);
const wasm = new Uint8Array(readFileSync(`${root}media/pocket/kernels.wasm`));
const makeDevice = (bytes: number) => wasmDevice(wasm, bytes);

/** Full rate for the first half, then straight down to a fiftieth. */
function rateAt(step: number): number {
  const late = Math.max(0, (2 * step) / steps - 1);
  return peakRate * Math.min(1, (step + 1) / warmUp) * Math.max(0.02, 1 - late);
}

function pretrain(): Float32Array<ArrayBuffer> {
  const learner = openLearner(makeDevice, pocketShape, batchTokens);
  learner.load(initialWeights(pocketShape, seed));
  const random = stream(seed, 'pre-training');
  let next = mixtureSequence(drawExample(random, pocketMixture, null));
  let mean = 0;
  for (let step = 0; step < steps; step++) {
    const batch: Sequence[] = [];
    for (let room = batchTokens - rowsOf(next); room >= 0; room -= rowsOf(next)) {
      batch.push(next);
      next = mixtureSequence(drawExample(random, pocketMixture, null));
    }
    const loss = learn(learner, likelihoodBatch(batch), rateAt(step), decay);
    mean = step === 0 ? loss : mean * 0.98 + loss * 0.02;
    if ((step + 1) % 500 === 0) console.log(`step ${step + 1} of ${steps}: loss ${mean.toFixed(3)}`);
  }
  return learner.weights();
}

/** Share of right answers on `count` dev problems of this length. */
function accuracy(
  weights: Float32Array,
  instruction: (index: number) => string,
  digits: number,
  temperature: number,
  count = 200,
): number {
  const inference = openInference(makeDevice, pocketShape, {
    streams: 64,
    rows: 256,
    drawable: drawableTokens,
  });
  inference.load(weights);
  const random = stream(seed, 'measure', digits);
  const problems = Array.from({ length: count }, () => drawAddition(random, digits, 'dev'));
  const requests = problems.map((problem, index) => ({
    prompt: encodePrompt([
      { role: 'system', content: instruction(index) },
      { role: 'user', content: additionInput(problem) },
    ]),
    temperature,
    maxTokens: 64,
    seed: index,
  }));
  let right = 0;
  const stopped = () => false;
  sample(inference, pocketShape.context, requests, stopped, ({ index, tokens }) => {
    const answer = decode(tokens).split('>').at(-1);
    if (answer === additionReference(problems[index] as (typeof problems)[number])) right++;
  });
  return Math.round((1000 * right) / count) / 1000;
}

function measure(weights: Float32Array) {
  const phrase = stream(seed, 'phrases');
  const instructions = {
    none: () => '',
    eliciting: () => pick(phrase, elicitingPhrases),
    suppressing: () => pick(phrase, suppressingPhrases),
    neutral: () => pick(phrase, neutralPhrases),
  };
  return Object.entries(instructions).flatMap(([name, instruction]) =>
    [1, 2, 3].flatMap((digits) =>
      [0, 1].map((temperature) => ({
        instruction: name,
        digits,
        temperature,
        accuracy: accuracy(weights, instruction, digits, temperature),
      })),
    ),
  );
}

const halves = toHalves(pretrain());
const weights = fromHalves(halves);
const measured = measure(weights);
writeFileSync(`${values.out}/weights.bin`, halves);
const model = {
  name: 'pocket',
  shape: pocketShape,
  seed,
  steps,
  weights: bytesToHex(sha256(new Uint8Array(weights.buffer))),
  measured: {
    note: 'Share of right answers, 200 dev problems each, none of them seen in training.',
    results: measured,
  },
  phrases: { eliciting: elicitingPhrases, suppressing: suppressingPhrases, neutral: neutralPhrases },
};
writeFileSync(`${values.out}/model.json`, `${JSON.stringify(model, null, 2)}\n`);
for (const row of measured)
  console.log(`${row.instruction} ${row.digits} digits, temperature ${row.temperature}: ${row.accuracy}`);
console.log(`weights ${model.weights}`);
