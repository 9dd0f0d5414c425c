/**
 * Owns the contract of Pocket's kernels, met by the WebAssembly build and by its plain twin with equal bits.
 * Addresses are bytes into one memory, sizes count floats. Deliberately holds no arithmetic.
 */

export interface Kernels {
  readonly packPanels: (
    N: number,
    K: number,
    source: number,
    kStride: number,
    nStride: number,
    target: number,
  ) => void;
  readonly multiply: (
    M: number,
    N: number,
    K: number,
    A: number,
    lda: number,
    panels: number,
    C: number,
    ldc: number,
    accumulate: number,
  ) => void;
  readonly multiplyTransposed: (
    M: number,
    N: number,
    K: number,
    A: number,
    lda: number,
    B: number,
    ldb: number,
    C: number,
    ldc: number,
    scratch: number,
  ) => void;
  readonly embed: (N: number, C: number, tokens: number, table: number, x: number) => void;
  readonly embedBack: (N: number, C: number, tokens: number, gradient: number, dx: number) => void;
  readonly normalize: (N: number, C: number, x: number, gain: number, y: number, scale: number) => void;
  readonly normalizeBack: (
    N: number,
    C: number,
    x: number,
    gain: number,
    scale: number,
    dy: number,
    dx: number,
    dGain: number,
  ) => void;
  readonly shiftTokens: (
    N: number,
    C: number,
    width: number,
    streams: number,
    positions: number,
    h: number,
    previous: number,
  ) => void;
  readonly shiftTokensBack: (N: number, C: number, width: number, positions: number, d: number) => void;
  readonly rotate: (
    N: number,
    C: number,
    positions: number,
    table: number,
    qkv: number,
    direction: number,
  ) => void;
  readonly squaredRelu: (count: number, a: number, b: number) => void;
  readonly squaredReluBack: (count: number, a: number, d: number) => void;
  readonly sumSquares: (count: number, a: number) => number;
  readonly adamw: (
    count: number,
    w: number,
    g: number,
    m: number,
    v: number,
    step: number,
    beta1: number,
    beta2: number,
    correction: number,
    keep: number,
    clip: number,
  ) => void;
  readonly attend: (S: number, starts: number, C: number, qkv: number, P: number, out: number) => void;
  readonly attendBack: (
    S: number,
    starts: number,
    C: number,
    qkv: number,
    P: number,
    dout: number,
    dqkv: number,
    scratch: number,
  ) => void;
  readonly storeKeys: (
    N: number,
    C: number,
    T: number,
    streams: number,
    positions: number,
    qkv: number,
    cache: number,
  ) => void;
  readonly attendCache: (
    N: number,
    C: number,
    T: number,
    streams: number,
    positions: number,
    qkv: number,
    cache: number,
    out: number,
    scratch: number,
  ) => void;
  readonly crossEntropy: (
    N: number,
    V: number,
    logits: number,
    targets: number,
    weights: number,
    probability: number,
  ) => void;
  readonly drawTokens: (
    N: number,
    V: number,
    count: number,
    logits: number,
    inverse: number,
    uniform: number,
    out: number,
  ) => void;
}

/** Rows of an inner block of `multiplyTransposed`; its scratch holds this many rows of N + 4 floats. */
export const gradientBlock = 256;

/** One memory seen as floats and as integers, with the kernels that work on it. */
export interface Device {
  readonly floats: Float32Array;
  readonly ints: Int32Array;
  readonly kernels: Kernels;
}
