/**
 * Owns vectors as text, exact to the bit, so that a ledger can keep them like any answer, and how near two of them are.
 * Deliberately makes none: that is an Embedder's.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

const BYTES = 4;

/** Hexadecimal of its 32-bit numbers, little-endian: 8 characters a number. */
export function vectorText(vector: Float32Array): string {
  const bytes = new Uint8Array(vector.length * BYTES);
  const view = new DataView(bytes.buffer);
  vector.forEach((part, index) => view.setFloat32(index * BYTES, part, true));
  return bytesToHex(bytes);
}

/** Null for a text that `vectorText` did not make. */
export function readVector(text: string): Float32Array | null {
  if (text === '' || text.length % (2 * BYTES) !== 0 || !/^[0-9a-f]+$/u.test(text)) return null;
  const bytes = hexToBytes(text);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length / BYTES }, (_, index) =>
    view.getFloat32(index * BYTES, true),
  );
}

/** In [-1, 1]; 0 where one of them has no direction. Throws RangeError for vectors of two lengths. */
export function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new RangeError('Vectors of two models have no angle between them.');
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index] as number, b[index] as number];
    product += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  const lengths = Math.sqrt(squaresA) * Math.sqrt(squaresB);
  return lengths === 0 ? 0 : Math.max(-1, Math.min(1, product / lengths));
}
