/** The two devices under test and random contents for them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stream } from '../../../../src/core/measure/random.ts';
import type { Random } from '../../../../src/core/measure/random.ts';
import { plainDevice, wasmDevice } from '../../../../src/adapters/pocket/kernels/device.ts';
import { layoutOf } from '../../../../src/adapters/pocket/shape.ts';
import type { Shape } from '../../../../src/adapters/pocket/shape.ts';

export const pocketFolder = fileURLToPath(new URL('../../../../media/pocket', import.meta.url));
export const pocketWorker = new URL('../../../../src/adapters/pocket/worker.ts', import.meta.url);
const kernels = new Uint8Array(readFileSync(`${pocketFolder}/kernels.wasm`));

export const wasm = (bytes: number) => wasmDevice(kernels, bytes);
export const plain = (bytes: number) => plainDevice(bytes);
export const devices = [
  ['wasm', wasm],
  ['plain', plain],
] as const;

/** Small, with heads of 32 as the kernels want them. */
export const smallShape: Shape = { vocabulary: 32, width: 64, layers: 2, context: 40, shift: 16 };

/** Weights far enough from their start for every gradient to matter. */
export function randomWeights(shape: Shape, seed: number): Float32Array {
  const layout = layoutOf(shape);
  const random = stream(seed, 'weights');
  const weights = Float32Array.from({ length: layout.count }, () => (random.unit() - 0.5) * 0.4);
  const gains = [
    ...layout.layers.flatMap((layer) => [layer.attentionGain, layer.feedGain]),
    layout.outputGain,
  ];
  for (const { at, columns } of gains)
    for (let i = at; i < at + columns; i++) weights[i] = 1 + (random.unit() - 0.5) * 0.4;
  return weights;
}

export function randomTokens(random: Random, least: number, most: number, vocabulary: number): number[] {
  return Array.from({ length: least + random.int(most - least + 1) }, () => random.int(vocabulary));
}
