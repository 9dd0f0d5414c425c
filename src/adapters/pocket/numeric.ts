/**
 * Owns transcendental functions made of the four operations only, which every engine rounds alike: the language's
 * own may differ in the last bit, and weights are addressed by hash. Deliberately not fast.
 */

const ln2 = 0.6931471805599453;

/** exp(x), x clamped to [-700, 700]; relative error about 1e-15. */
export function exp(x: number): number {
  const clamped = Math.max(-700, Math.min(700, x));
  const n = Math.round(clamped / ln2);
  const y = clamped - n * ln2;
  let term = 1;
  let sum = 1;
  for (let i = 1; i < 20; i++) {
    term = (term * y) / i;
    sum += term;
  }
  return sum * 2 ** n;
}

/** Natural logarithm; 0 and less give that of the smallest normal double. */
export function log(x: number): number {
  let m = Math.max(x, 2.2250738585072014e-308);
  let n = 0;
  for (; m > 1.5; n++) m /= 2;
  for (; m < 0.75; n--) m *= 2;
  const r = (m - 1) / (m + 1);
  let power = r;
  let sum = 0;
  for (let i = 1; i < 45; i += 2) {
    sum += power / i;
    power *= r * r;
  }
  return n * ln2 + 2 * sum;
}

/** [cos x, sin x] for |x| up to a few thousand; absolute error about 1e-12. */
export function cosSin(x: number): readonly [number, number] {
  const turn = 6.283185307179586;
  const y = x - Math.round(x / turn) * turn;
  let cosine = 0;
  let sine = 0;
  let term = 1;
  for (let i = 0; i < 32; i += 2) {
    cosine += term;
    term = (term * y) / (i + 1);
    sine += term;
    term = (-term * y) / (i + 2);
  }
  return [cosine, sine];
}

/** 100,000^(-1/16): the ratio of neighbouring rotary frequencies, base 100,000 over 16 pairs (Su et al. 2021). */
const frequencyRatio = 0.4869675251658631;

/** For each position 16 cosines then 16 sines, as the `rotate` kernel reads them. */
export function rotaryTable(positions: number): Float32Array {
  const table = new Float32Array(positions * 32);
  for (let position = 0; position < positions; position++) {
    let frequency = 1;
    for (let i = 0; i < 16; i++) {
      const [cosine, sine] = cosSin(position * frequency);
      table[position * 32 + i] = cosine;
      table[position * 32 + 16 + i] = sine;
      frequency *= frequencyRatio;
    }
  }
  return table;
}
