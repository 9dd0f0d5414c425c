/**
 * Owns the messages on people's data files: looking one through, and writing a recipe's `data` for it.
 * Deliberately holds no behaviour; both ends import the descriptors and never spell a method's name.
 */
import * as z from 'zod';
import {
  dataFormats,
  dataShapes,
  mappedParts,
  type DataInspection,
  type FieldMap,
  type FileOptions,
} from '../core/model/dataset.ts';
import { metrics, type Metric } from '../core/model/metric.ts';
import type { TextEdit } from '../core/model/recipeView.ts';
import type { RequestDescriptor } from './engine.ts';

const path = z.string().min(1).max(300);
const map = z.partialRecord(
  z.enum(mappedParts),
  z.union([path, z.array(path).min(1).max(50)]),
) as unknown as z.ZodType<FieldMap>;

const options = {
  format: z.enum(dataFormats).optional(),
  shape: z.enum(dataShapes).optional(),
  map: map.optional(),
  sample: z.number().int().min(1).optional(),
};

const share = z.number().min(0).max(1);
const data = z
  .object({
    /** As the recipe is to name it: relative to the recipe, with '/'. */
    file: z.string().min(1).max(4096),
    ...options,
    split: z
      .object({ train: share, dev: share, test: share, seed: z.number().int().min(0).max(0xffff_ffff) })
      .strict()
      .optional(),
  })
  .strict();

/** Reads the whole file; fails with a sentence when it cannot be read as data. `file` is relative to the workspace, with '/'. */
export const inspectData: RequestDescriptor<
  { readonly file: string; readonly options: FileOptions },
  DataInspection
> = {
  method: 'ratchet/data/inspect',
  params: z.object({ file: z.string().min(1).max(4096), options: z.object(options).strict() }).strict(),
};

/** The smallest edit that makes a recipe use the file; null when the text is no recipe. */
export const editData: RequestDescriptor<
  { readonly text: string; readonly data: z.output<typeof data> },
  TextEdit | null
> = {
  method: 'ratchet/data/edit',
  params: z.object({ text: z.string().max(10_000_000), data }).strict(),
};

/** The text of a new recipe on the file. */
export const newLoopOnData: RequestDescriptor<
  {
    readonly name: string;
    readonly model: string;
    readonly metric: Metric;
    /** Whose embeddings measure, where the metric is `embedding`. */
    readonly embedder?: string | undefined;
    readonly data: z.output<typeof data>;
  },
  string
> = {
  method: 'ratchet/data/newLoop',
  params: z
    .object({
      name: z.string().min(1).max(100),
      model: z.string().min(1).max(200),
      metric: z.enum(metrics),
      embedder: z.string().min(1).max(200).optional(),
      data,
    })
    .strict(),
};

export type DataBlockMessage = z.output<typeof data>;
