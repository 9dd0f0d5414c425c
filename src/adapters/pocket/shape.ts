/**
 * Owns the shape of Pocket's network and where each matrix lies in its weights. Deliberately allocates nothing and
 * computes nothing: the learner and the sampler lay out their own memory from this.
 */

export interface Shape {
  /** Tokens known, a multiple of 8. */
  readonly vocabulary: number;
  /** Width of the residual stream: heads of 32 floats. */
  readonly width: number;
  readonly layers: number;
  /** Longest sequence in tokens. */
  readonly context: number;
  /** Floats of the attention input taken from the previous token, a multiple of 4. */
  readonly shift: number;
}

/** A decoder-only transformer of 0.21 million weights. */
export const pocketShape: Shape = { vocabulary: 104, width: 64, layers: 4, context: 160, shift: 32 };

export interface Matrix {
  /** Position of the first weight, in floats. */
  readonly at: number;
  readonly rows: number;
  readonly columns: number;
}

export interface LayerLayout {
  readonly attentionGain: Matrix;
  readonly queryKeyValue: Matrix;
  readonly attentionOutput: Matrix;
  readonly feedGain: Matrix;
  readonly feedIn: Matrix;
  readonly feedOut: Matrix;
}

export interface Layout {
  readonly embedding: Matrix;
  readonly layers: readonly LayerLayout[];
  readonly outputGain: Matrix;
  readonly head: Matrix;
  /** Weights in all, a multiple of 4. */
  readonly count: number;
}

/** Matrices in the order they lie in the weights, each row-major with inputs as rows. */
export function layoutOf(shape: Shape): Layout {
  let at = 0;
  const matrix = (rows: number, columns: number): Matrix => {
    const placed = { at, rows, columns };
    at += rows * columns;
    return placed;
  };
  const { vocabulary, width, layers } = shape;
  const embedding = matrix(vocabulary, width);
  const layerList = Array.from({ length: layers }, () => ({
    attentionGain: matrix(1, width),
    queryKeyValue: matrix(width, 3 * width),
    attentionOutput: matrix(width, width),
    feedGain: matrix(1, width),
    feedIn: matrix(width, 4 * width),
    feedOut: matrix(4 * width, width),
  }));
  const outputGain = matrix(1, width);
  const head = matrix(width, vocabulary);
  return { embedding, layers: layerList, outputGain, head, count: at };
}
