/**
 * Owns the packed copies of the weight matrices that `multiply` reads: as they are for the forward pass, transposed
 * for the gradients of activations. Deliberately remembers nothing about when they were packed.
 */
import type { Arena } from './arena.ts';
import type { Kernels } from './kernels/kernels.ts';
import type { Layout, Matrix } from './shape.ts';

export interface Panels {
  /** Byte address of the panels of x * matrix. */
  readonly of: (matrix: Matrix) => number;
  /** Packs every matrix from weights at this byte address. */
  readonly pack: (kernels: Kernels, weights: number) => void;
}

/** The matrices that multiply activations, gains and the embedding left out. */
function products(layout: Layout): Matrix[] {
  const layers = layout.layers.flatMap((layer) => [
    layer.queryKeyValue,
    layer.attentionOutput,
    layer.feedIn,
    layer.feedOut,
  ]);
  return [...layers, layout.head];
}

export function panels(layout: Layout, memory: Arena, transposed: boolean): Panels {
  const at = new Map(products(layout).map((matrix) => [matrix, memory.take(matrix.rows * matrix.columns)]));
  return {
    of: (matrix) => at.get(matrix) as number,
    pack: (kernels, weights) => {
      for (const [matrix, target] of at) {
        const source = weights + matrix.at * 4;
        if (transposed) kernels.packPanels(matrix.rows, matrix.columns, source, 1, matrix.columns, target);
        else kernels.packPanels(matrix.columns, matrix.rows, source, matrix.columns, 1, target);
      }
    },
  };
}
