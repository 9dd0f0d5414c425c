/**
 * Owns half-precision storage of weights (IEEE 754 binary16, little-endian): half the bytes in the package, expanded
 * to the same floats everywhere. Deliberately has no infinities or NaN: weights are finite and below 65,504.
 */

const bits = new DataView(new ArrayBuffer(4));

/** Nearest half, ties to even; what is below half of the smallest subnormal becomes 0. */
function halfOf(value: number): number {
  bits.setFloat32(0, value);
  const single = bits.getUint32(0);
  const sign = (single >>> 16) & 0x8000;
  const exponent = ((single >>> 23) & 0xff) - 112;
  const mantissa = single & 0x7fffff;
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    return sign | roundShift(mantissa | 0x800000, 14 - exponent);
  }
  return sign | ((exponent << 10) + roundShift(mantissa, 13));
}

/** value / 2^shift to the nearest integer, ties to even. */
function roundShift(value: number, shift: number): number {
  const low = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const down = value >>> shift;
  return low > half || (low === half && (down & 1) === 1) ? down + 1 : down;
}

export function toHalves(weights: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new DataView(new ArrayBuffer(weights.length * 2));
  for (const [i, weight] of weights.entries()) bytes.setUint16(2 * i, halfOf(weight), true);
  return new Uint8Array(bytes.buffer);
}

/** Exact: every half is a single. */
export function fromHalves(halves: Uint8Array): Float32Array<ArrayBuffer> {
  const bytes = new DataView(halves.buffer, halves.byteOffset, halves.byteLength);
  const weights = new Float32Array(halves.length / 2);
  for (let i = 0; i < weights.length; i++) {
    const half = bytes.getUint16(2 * i, true);
    const exponent = (half >>> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    const size = exponent === 0 ? mantissa / 1024 / 16384 : (1 + mantissa / 1024) * 2 ** (exponent - 15);
    weights[i] = (half & 0x8000) === 0 ? size : -size;
  }
  return weights;
}
