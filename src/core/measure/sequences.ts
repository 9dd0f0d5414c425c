/**
 * Owns how much two sequences have in common: longest common subsequence and edit distance, 32 cells of the table at
 * once. Deliberately compares whole numbers only; words.ts turns words and characters into them.
 */

interface Places {
  readonly blocks: number[];
  readonly bits: number[];
}

/** Places of each item of `pattern` as bits, 32 places a block; only the blocks that hold it, so that space is linear. */
function placesOf(pattern: Int32Array): ReadonlyMap<number, Places> {
  const places = new Map<number, Places>();
  pattern.forEach((item, at) => {
    const known = places.get(item);
    const block = at >>> 5;
    const bit = 1 << (at & 31);
    if (known === undefined) places.set(item, { blocks: [block], bits: [bit] });
    else if (known.blocks.at(-1) === block) known.bits.push((known.bits.pop() as number) | bit);
    else {
      known.blocks.push(block);
      known.bits.push(bit);
    }
  });
  return places;
}

/** Calls `step` with the row of bits that says where the item stands in the pattern; the row is reused. */
function withRow(row: Uint32Array, places: Places | undefined, step: (row: Uint32Array) => void): void {
  places?.blocks.forEach((block, index) => (row[block] = places.bits[index] as number));
  step(row);
  places?.blocks.forEach((block) => (row[block] = 0));
}

function countZeros(row: Uint32Array, length: number): number {
  let zeros = 0;
  for (let at = 0; at < length; at++) if ((((row[at >>> 5] as number) >>> (at & 31)) & 1) === 0) zeros++;
  return zeros;
}

/** Blocks of 32 cells that comparing sequences of these lengths touches: what it costs, about 10 ns each. */
export function comparisonCost(a: number, b: number): number {
  return Math.ceil(Math.min(a, b) / 32) * Math.max(a, b);
}

/**
 * Length of a longest common subsequence, in O(n m / 32) time and O(n + m) space. Hyyrö (2004), "Bit-parallel
 * LCS-length computation revisited".
 */
export function commonSubsequence(a: Int32Array, b: Int32Array): number {
  const [pattern, text] = a.length <= b.length ? [a, b] : [b, a];
  if (pattern.length === 0) return 0;
  const places = placesOf(pattern);
  const blocks = Math.ceil(pattern.length / 32);
  const scratch = new Uint32Array(blocks);
  const state = new Uint32Array(blocks).fill(0xffff_ffff);
  const step = (match: Uint32Array): void => {
    let carry = 0;
    for (let block = 0; block < blocks; block++) {
      const value = state[block] as number;
      const shared = (value & (match[block] as number)) >>> 0;
      const sum = value + shared + carry;
      carry = sum > 0xffff_ffff ? 1 : 0;
      state[block] = (sum >>> 0) | (value - shared);
    }
  };
  for (const item of text) {
    const found = places.get(item);
    if (found !== undefined) withRow(scratch, found, step);
  }
  return countZeros(state, pattern.length);
}

/**
 * Levenshtein distance: the fewest insertions, deletions and substitutions of one item that turn `a` into `b`, in
 * O(n m / 32) time and O(n + m) space. Myers (1999), "A fast bit-vector algorithm for approximate string matching based
 * on dynamic programming", in blocks as by Hyyrö (2003).
 */
export function editDistance(a: Int32Array, b: Int32Array): number {
  const [pattern, text] = a.length <= b.length ? [a, b] : [b, a];
  if (pattern.length === 0) return text.length;
  const places = placesOf(pattern);
  const blocks = Math.ceil(pattern.length / 32);
  const scratch = new Uint32Array(blocks);
  const plus = new Uint32Array(blocks).fill(0xffff_ffff);
  const minus = new Uint32Array(blocks);
  const lastBit = (pattern.length - 1) & 31;
  let distance = pattern.length;
  const step = (match: Uint32Array): void => {
    let carryPlus = 1;
    let carryMinus = 0;
    for (let block = 0; block < blocks; block++) {
      const up = plus[block] as number;
      const down = minus[block] as number;
      const equal = ((match[block] as number) | carryMinus) >>> 0;
      const diagonal = (((((equal & up) >>> 0) + up) ^ up) | equal | down) >>> 0;
      const rising = (down | ~(diagonal | up)) >>> 0;
      const falling = (diagonal & up) >>> 0;
      if (block === blocks - 1) distance += ((rising >>> lastBit) & 1) - ((falling >>> lastBit) & 1);
      const shiftedPlus = (rising << 1) | carryPlus;
      const shiftedMinus = (falling << 1) | carryMinus;
      const vertical = (match[block] as number) | down;
      plus[block] = shiftedMinus | ~(vertical | shiftedPlus);
      minus[block] = shiftedPlus & vertical;
      carryPlus = rising >>> 31;
      carryMinus = falling >>> 31;
    }
  };
  for (const item of text) withRow(scratch, places.get(item), step);
  return distance;
}
