/** Owns reading the weights that ship with the extension. Deliberately trusts nothing whose hash differs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asId } from '../../core/model/ids.ts';
import type { ContentHash } from '../../core/model/ids.ts';
import { ProviderError } from '../../core/ports.ts';
import { fromHalves } from './halfPrecision.ts';

const damaged = (detail: string, cause?: unknown) =>
  new ProviderError(`Pocket's files are damaged (${detail}). Install Ratchet again.`, { cause });

/** Hash of the base weights as model.json states it. Throws ProviderError when the file is missing or unreadable. */
export function baseHash(folder: string): ContentHash {
  let model: unknown;
  try {
    model = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  } catch (cause) {
    throw damaged('model.json cannot be read', cause);
  }
  const hash = (model as { readonly weights?: unknown } | null)?.weights;
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/u.test(hash)) throw damaged('model.json names no weights');
  return asId<ContentHash>(hash);
}

async function bytesOf(folder: string, file: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(join(folder, file)));
  } catch (cause) {
    throw damaged(`${file} cannot be read`, cause);
  }
}

/** The base weights, expanded to single precision. Throws ProviderError when they are not those of `hash`. */
export async function baseWeights(folder: string, hash: ContentHash): Promise<Float32Array<ArrayBuffer>> {
  const weights = fromHalves(await bytesOf(folder, 'weights.bin'));
  const found = createHash('sha256').update(new Uint8Array(weights.buffer)).digest('hex');
  if (found !== hash) throw damaged('weights.bin is not what model.json names');
  return weights;
}

export function kernelBytes(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  return bytesOf(folder, 'kernels.wasm');
}
