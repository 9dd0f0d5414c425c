/**
 * Owns the account of rows that were not used: each reason with its exact count and its first lines. Deliberately keeps the
 * first thousand singly and only counts the rest, so that a file of nothing but bad rows costs a bounded amount.
 */
import type { RejectedRows } from '../../core/model/dataset.ts';
import type { LoadedTasks } from '../../core/ports.ts';

interface Group {
  readonly reason: string;
  readonly field: string | null;
  readonly lines: number[];
  count: number;
  /** Told singly. */
  single: number;
  last: number;
}

export interface Rejections {
  readonly total: number;
  /** `detail` is told instead of the reason where rows are told singly. */
  add(line: number, reason: string, field?: string | null, detail?: string): void;
  /** Commonest first. */
  groups(): readonly RejectedRows[];
  skipped(file: string): LoadedTasks['skipped'];
  readonly first: string | null;
}

const mostSingle = 1_000;
const mostGroups = 200;
const linesShown = 5;

export function createRejections(): Rejections {
  const groups = new Map<string, Group>();
  const single: { line: number; reason: string }[] = [];
  let total = 0;
  let first: string | null = null;
  const groupOf = (reason: string, field: string | null): Group => {
    const key = groups.size < mostGroups || groups.has(reason) ? reason : 'other reasons';
    const known = groups.get(key);
    if (known !== undefined) return known;
    const made: Group = {
      reason: key,
      field: key === reason ? field : null,
      lines: [],
      count: 0,
      single: 0,
      last: 0,
    };
    groups.set(key, made);
    return made;
  };
  return {
    get total() {
      return total;
    },
    get first() {
      return first;
    },
    add(line, reason, field = null, detail = reason) {
      const group = groupOf(reason, field);
      total += 1;
      first ??= `line ${line}: ${detail}`;
      group.count += 1;
      group.last = line;
      if (group.lines.length < linesShown) group.lines.push(line);
      if (single.length >= mostSingle) return;
      group.single += 1;
      single.push({ line, reason: detail });
    },
    groups: () =>
      [...groups.values()]
        .toSorted((a, b) => b.count - a.count)
        .map(({ reason, field, count, lines }) => ({ reason, field, count, lines: [...lines] })),
    skipped(file) {
      const rest = [...groups.values()].filter((group) => group.count > group.single);
      return [
        ...single.map(({ line, reason }) => ({ file, line, reason })),
        ...rest.map(({ reason, last, count, single: told }) => ({
          file,
          line: last,
          reason: `${reason} (the last of ${count - told} more)`,
          count: count - told,
        })),
      ];
    },
  };
}
