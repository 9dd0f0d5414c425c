/**
 * Owns what people's data files are said to be: their formats, the shapes their rows have, the mapping of fields to a
 * task, and the report of a file that was looked through. Deliberately reads no file.
 */
import type { Split, Task } from './task.ts';

export const dataFormats = ['jsonl', 'json', 'csv', 'tsv', 'yaml'] as const;
export type DataFormat = (typeof dataFormats)[number];

export const dataShapes = [
  'plain',
  'alpaca',
  'sharegpt',
  'messages',
  'self-instruct',
  'question-answer',
  'multiple-choice',
  'preference',
  'humaneval',
  'mbpp',
] as const;
export type DataShape = (typeof dataShapes)[number];

/** The parts of a task a file's fields may be mapped to, in the order people are shown them. */
export const mappedParts = [
  'input',
  'context',
  'reference',
  'choices',
  'tests',
  'entryPoint',
  'split',
  'stratum',
  'group',
] as const;
export type MappedPart = (typeof mappedParts)[number];

/**
 * Part of a task -> the fields it is read from: a field's name, or a path such as `metadata.answer`, `turns.0` or
 * `instances.*.output`, where `*` makes a task of each item. Several fields are joined by blank lines (choices: one each).
 * With an input it is the whole mapping; without, it adds to what the shape gives.
 */
export type FieldMap = { readonly [Part in MappedPart]?: string | readonly string[] | undefined };

/** How a file is to be read; what is absent is found out by looking at it. */
export interface FileOptions {
  readonly format?: DataFormat | undefined;
  readonly shape?: DataShape | undefined;
  readonly map?: FieldMap | undefined;
  /** At most this many tasks, drawn evenly from the whole file by their identity. */
  readonly sample?: number | undefined;
}

/** Rows that could not be used for one reason. */
export interface RejectedRows {
  /** For people, without the row's own text. */
  readonly reason: string;
  /** The field it is about; null when it is about the row. */
  readonly field: string | null;
  readonly count: number;
  /** The first few, counted from 1 in the file. */
  readonly lines: readonly number[];
}

/** A shape that fits the first rows of a file, with what speaks for it. */
export interface ShapeGuess {
  readonly shape: DataShape;
  readonly map: FieldMap;
  /** Share of the first rows that give a task in this shape, in [0, 1]. */
  readonly confidence: number;
  /** One sentence. */
  readonly evidence: string;
}

export interface PreviewTask {
  readonly line: number;
  readonly split: Split | null;
  readonly task: Omit<Task, 'id' | 'split'>;
}

/** A data file looked through from its first byte to its last. Counts are exact. */
export interface DataInspection {
  /** As it was named. */
  readonly file: string;
  readonly format: DataFormat;
  readonly bytes: number;
  readonly rows: number;
  /** Different tasks that can be used. */
  readonly tasks: number;
  /** Tasks that stand in the file more than once, beyond the first. */
  readonly duplicates: number;
  readonly rejected: number;
  readonly reasons: readonly RejectedRows[];
  /** What the rows were read with, and what else would fit, best first. */
  readonly used: ShapeGuess;
  readonly others: readonly ShapeGuess[];
  /** Fields of the first rows, with one value each as text, cut. */
  readonly fields: readonly { readonly path: string; readonly example: string }[];
  readonly preview: readonly PreviewTask[];
  /** Sentences on what a person should know: what is not used, how numbers were kept. */
  readonly notes: readonly string[];
}
