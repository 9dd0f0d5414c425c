/** Owns where a page of a list begins and how long it may be. Deliberately knows no list. */
import { StoreError } from '../../core/ports.ts';

const LARGEST_PAGE = 1000;

/**
 * The place a page begins at: what `after` says, the `next` of another page, or `first`. Throws StoreError for a place no
 * page gave, which is one under `least`, or a limit outside 1 to 1,000.
 */
export function pageStart(after: string | null, limit: number, first: number, least: number): number {
  const start = after === null ? first : Number(after);
  const isPlace = Number.isSafeInteger(start) && start >= least;
  if (!isPlace || !Number.isInteger(limit) || limit < 1 || limit > LARGEST_PAGE)
    throw new StoreError(
      `A page has 1 to ${LARGEST_PAGE} experiences and begins where another ended.`,
      'RANGE',
    );
  return start;
}
