/**
 * Owns a data file as a document: what it is, how its fields become tasks, the first tasks, what is left out and why.
 * Text of the file stands in fences and code spans it cannot leave.
 */
import {
  mappedParts,
  type DataInspection,
  type FieldMap,
  type PreviewTask,
} from '../../core/model/dataset.ts';
import { count, counted, percent } from '../../protocol/wording.ts';
import { fenced, inlineCode, oneLine, prose } from './plainText.ts';

const tasksShown = 10;
const inputShown = 2_000;

export const partWords: Readonly<Record<keyof FieldMap, string>> = {
  input: 'Input',
  context: 'Context',
  reference: 'Reference',
  choices: 'Choices',
  tests: 'Tests',
  entryPoint: 'Entry point',
  split: 'Split',
  stratum: 'Stratum',
  group: 'Group',
};

/** Inside a table a bar would end the cell, also in a code span. */
function cell(text: string, limit: number): string {
  return text === '' ? '' : prose(oneLine(text, limit));
}

export function pathsText(paths: string | readonly string[] | undefined): string {
  return paths === undefined ? '' : typeof paths === 'string' ? paths : paths.join(' + ');
}

function mappingLines({ used, fields }: DataInspection): readonly string[] {
  const example = (paths: string | readonly string[]) => {
    const first = typeof paths === 'string' ? paths : (paths[0] ?? '');
    return fields.find(({ path }) => path === first)?.example ?? '';
  };
  return [
    '| Part of a task | Field | For example |',
    '|---|---|---|',
    ...mappedParts.flatMap((part) => {
      const paths = used.map[part];
      return paths === undefined
        ? []
        : [`| ${partWords[part]} | ${cell(pathsText(paths), 100)} | ${cell(example(paths), 80)} |`];
    }),
  ];
}

function taskLines({ line, split, task }: PreviewTask): readonly string[] {
  const cut = (text: string) =>
    text.length > inputShown ? `${text.slice(0, inputShown).toWellFormed()}\u2026` : text;
  const block = (title: string, text: string | undefined) =>
    text === undefined ? [] : ['', `${title}:`, '', fenced(cut(text))];
  return [
    `### Line ${line}${split === null ? '' : `, ${split}`}`,
    '',
    fenced(cut(task.input)),
    ...block('With the context', task.context),
    ...block('Reference', task.reference),
    ...block('Tests', task.tests),
    '',
  ];
}

function rejectedLines({ rejected, duplicates, reasons }: DataInspection): readonly string[] {
  const again =
    duplicates === 0 ? [] : [`${counted(duplicates, 'task')} more than once; each counts once.`, ''];
  if (rejected === 0) return ['None.', '', ...again];
  return [
    ...again,
    '| Rows | Why | Field | Lines |',
    '|---:|---|---|---|',
    ...reasons.map(
      ({ count: rows, reason, field, lines }) =>
        `| ${count(rows)} | ${cell(reason, 200)} | ${cell(field ?? '', 60)} | ${lines.join(', ')}${rows > lines.length ? ', \u2026' : ''} |`,
    ),
    '',
  ];
}

export function dataDocument(found: DataInspection): string {
  const { used, others } = found;
  const shown = Math.min(tasksShown, found.preview.length);
  const megabytes =
    found.bytes < 1e6 ? `${count(found.bytes)} bytes` : `${(found.bytes / 1e6).toFixed(1)} MB`;
  return [
    `# ${inlineCode(found.file)}`,
    '',
    `${counted(found.tasks, 'task')} from ${counted(found.rows, 'row')}; ${counted(found.rejected, 'row')} cannot be used.`,
    '',
    `- Format: ${found.format}, ${megabytes}`,
    `- Shape: ${used.shape}, fits ${percent(used.confidence)} of the first rows. ${prose(used.evidence)}`,
    ...(others.length === 0
      ? []
      : [
          `- Would fit, too: ${others.map(({ shape, confidence }) => `${shape} (${percent(confidence)})`).join(', ')}`,
        ]),
    ...found.notes.map((note) => `- ${prose(note)}`),
    '',
    '## How fields become tasks',
    '',
    ...mappingLines(found),
    '',
    '## Rows that cannot be used',
    '',
    ...rejectedLines(found),
    `## The first ${counted(shown, 'task')}`,
    '',
    ...(shown === 0 ? ['None.', ''] : found.preview.slice(0, tasksShown).flatMap(taskLines)),
  ].join('\n');
}
