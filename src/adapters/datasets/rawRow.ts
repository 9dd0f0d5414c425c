/** Owns what a reader of any format gives for one row of a file. Deliberately says nothing of what a row means. */

export interface RowPlace {
  /** Of the row's beginning, from 1. */
  readonly line: number;
  /** Name of the list it stands in, where the file is an object of lists. */
  readonly member?: string;
}

export type RawRow = RowPlace &
  (
    | { readonly kind: 'row'; readonly value: unknown }
    /** `reason` is for people and holds none of the row's text. */
    | { readonly kind: 'bad'; readonly reason: string }
  );

export interface RowLimits {
  /** Bytes of one row. */
  readonly longest: number;
}

/** The file as a whole is not of its format; `message` goes after the file's name. */
export class FormatError extends Error {
  override readonly name: string = 'FormatError';
}

/** The file is one JSON object after another, not one. */
export class SeveralValues extends FormatError {
  override readonly name = 'SeveralValues';
  constructor() {
    super('is not valid JSON: another object follows the first');
  }
}
