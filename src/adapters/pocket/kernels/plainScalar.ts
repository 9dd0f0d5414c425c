/**
 * Owns the single-precision pieces of the plain twin: rounding after every operation and the sums of four lanes in
 * the order of vector.as.ts, so that both give equal bits. Deliberately uses no Math function whose last bit is free.
 */
const f = Math.fround;

const reciprocalLn2 = f(1.44269504);
const ln2High = f(0.693359375);
const ln2Low = f(2.1219444e-4);
const p0 = f(1.98756915e-4);
const p1 = f(1.3981999507e-3);
const p2 = f(8.3334519073e-3);
const p3 = f(4.1665795894e-2);
const p4 = f(1.6666665459e-1);
const p5 = f(5.0000001201e-1);

/** 2^n at index n + 127, built by halving: exact. */
const powers = new Float32Array(256);
for (let n = 0, value = 1; n <= 127; n++, value *= 2) powers[n + 127] = value;
for (let n = 0, value = 1; n >= -127; n--, value /= 2) powers[n + 127] = value;

/** exp of a float at most 0, equal to exp4 of the kernels. */
export function exp32(x: number): number {
  if (!(x >= -87)) return 0;
  const n = Math.floor(f(f(x * reciprocalLn2) + 0.5));
  let y = f(x - f(n * ln2High));
  y = f(y + f(n * ln2Low));
  let p = p0;
  p = f(f(p * y) + p1);
  p = f(f(p * y) + p2);
  p = f(f(p * y) + p3);
  p = f(f(p * y) + p4);
  p = f(f(p * y) + p5);
  p = f(f(f(f(p * y) * y) + y) + 1);
  return f(p * (powers[n + 127] as number));
}

/** Sum of `count` products (a multiple of 4) by lane, lanes added as in sumLanes. */
export function laneProducts(F: Float32Array, a: number, b: number, count: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let i = 0; i < count; i += 4) {
    s0 = f(s0 + f((F[a + i] as number) * (F[b + i] as number)));
    s1 = f(s1 + f((F[a + i + 1] as number) * (F[b + i + 1] as number)));
    s2 = f(s2 + f((F[a + i + 2] as number) * (F[b + i + 2] as number)));
    s3 = f(s3 + f((F[a + i + 3] as number) * (F[b + i + 3] as number)));
  }
  return f(f(s0 + s2) + f(s1 + s3));
}

/** Replaces `count` values (a multiple of 4) by exp((value - max) * factor); returns their sum by lanes. */
export function exponentials(F: Float32Array, at: number, count: number, factor: number): number {
  let top = f(-1e30);
  for (let i = 0; i < count; i++) top = Math.max(top, F[at + i] as number);
  const lanes = [0, 0, 0, 0] as [number, number, number, number];
  for (let i = 0; i < count; i++) {
    const e = exp32(f(f((F[at + i] as number) - top) * factor));
    F[at + i] = e;
    lanes[i & 3] = f((lanes[i & 3] as number) + e);
  }
  return f(f(lanes[0] + lanes[2]) + f(lanes[1] + lanes[3]));
}
