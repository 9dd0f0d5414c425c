/** Owns two runs side by side as a document: outcome, score by round, cost. Deliberately names no winner. */
import type { RunDetail } from '../../core/model/views.ts';
import { compareRuns } from '../../protocol/comparison.ts';
import { prose } from './plainText.ts';

function tableLines(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  // Numbers stand under numbers, for those who read the text as it is.
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)];
}

/** `names` tell the two apart for people: "Run 1", "Run 2". */
export function comparisonDocument(
  one: RunDetail,
  other: RunDetail,
  names: readonly [string, string],
): string {
  const { rows, notes } = compareRuns(one, other);
  const [first, second] = names;
  const cells = rows.map((row) => [row.name, prose(row.one), prose(row.other), prose(row.difference)]);
  return [
    `# ${prose(first)} and ${prose(second)}`,
    '',
    ...tableLines([['', prose(first), prose(second), 'Difference'], ...cells]),
    '',
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
}
