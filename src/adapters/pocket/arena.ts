/** Owns the cutting of one device memory into buffers, each on a cache line. Deliberately never frees: layouts are fixed. */

export interface Arena {
  /** Byte address of `count` new floats. */
  readonly take: (count: number) => number;
  /** Bytes taken so far: what the device must hold. */
  readonly bytes: () => number;
}

const line = 64;

export function arena(): Arena {
  let top = line;
  return {
    take: (count) => {
      const at = top;
      top += Math.ceil((count * 4) / line) * line;
      return at;
    },
    bytes: () => top,
  };
}
