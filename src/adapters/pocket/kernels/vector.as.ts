/**
 * Owns what the other kernels share: sums over lanes in one fixed order, and an exponential of our own, since the
 * platform's may differ in its last bit between engines. Inlined everywhere; exports nothing to the host.
 */

/** (lane 0 + lane 2) + (lane 1 + lane 3). */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

// @ts-ignore: decorator
@inline
export function maxLanes(v: v128): f32 {
  const pairs = f32x4.max(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/**
 * exp of four floats at most 0, relative error about 1e-7; below -87 exactly 0.
 * Cody-Waite reduction and the polynomial of Cephes' expf (Moshier 1992).
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const n = f32x4.floor(f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504)), f32x4.splat(0.5)));
  let y = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  y = f32x4.add(y, f32x4.mul(n, f32x4.splat(2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, y), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, y), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, y), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, y), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, y), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, y), y), y), f32x4.splat(1));
  const scale = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return v128.and(f32x4.mul(p, scale), f32x4.ge(x, f32x4.splat(-87)));
}
