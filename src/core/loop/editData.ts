/**
 * Owns writing a recipe's `data` for a file: the smallest edit of a recipe's text, or a whole new recipe around it.
 * Deliberately works on the text: every byte outside of `data` stays as it is.
 */
import { isMap, isNode, isScalar, parseDocument, stringify, type Pair } from 'yaml';
import type { FileOptions } from '../model/dataset.ts';
import type { Metric } from '../model/metric.ts';
import type { TextEdit } from '../model/recipeView.ts';
import { parseRecipe } from './parseRecipe.ts';
import type { SplitShares } from './recipeData.ts';

/** A file as a recipe names it, relative to the recipe, with '/'. */
export interface DataBlock extends FileOptions {
  readonly file: string;
  readonly split?: SplitShares | undefined;
}

const longestLine = 100;

/** On one line where it fits, else one line a member. `indent` is the member lines' own. */
function written(data: DataBlock, indent: string): string {
  const { file, ...rest } = data;
  const block = Object.fromEntries(
    Object.entries({ file, ...rest }).filter(([, value]) => value !== undefined),
  );
  const flow = (value: unknown) =>
    stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trim();
  const line = Object.keys(block).length === 1 ? flow(file) : flow(block);
  if (line.length <= longestLine) return ` ${line}`;
  return Object.entries(block)
    .map(([name, value]) => `\n${indent}${name}: ${flow(value)}`)
    .join('');
}

/** The edit that sets `data`; null when the text is no recipe's map, or would not be read as said. */
export function editData(text: string, data: DataBlock): TextEdit | null {
  const document = parseDocument(text, { version: '1.2' });
  const { contents } = document;
  if (document.errors.length > 0 || !isMap(contents)) return null;
  const pairNamed = (name: string): Pair | undefined =>
    contents.items.find(({ key }) => isScalar(key) && key.value === name);
  const pair = pairNamed('data');
  const edit = pair === undefined ? inserted(text, pairNamed('steps'), data) : replaced(text, pair, data);
  if (edit === null) return null;
  const changed = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
  const { problems } = parseRecipe(changed);
  return problems.some(({ path }) => path === '' || path === 'data' || path.startsWith('data.'))
    ? null
    : edit;
}

function replaced(text: string, { key, value }: Pair, data: DataBlock): TextEdit | null {
  if (!isNode(key) || !key.range || !isNode(value) || !value.range) return null;
  const colon = text.indexOf(':', key.range[1]);
  if (colon < 0 || colon >= value.range[1]) return null;
  const start = colon + 1;
  // A block's range may take in the line ends after it.
  const end = start + text.slice(start, value.range[1]).trimEnd().length;
  return { start, end, text: written(data, '  ') };
}

function inserted(text: string, steps: Pair | undefined, data: DataBlock): TextEdit {
  const line = `data:${written(data, '  ')}\n`;
  if (steps !== undefined && isNode(steps.key) && steps.key.range)
    return { start: steps.key.range[0], end: steps.key.range[0], text: line };
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  return { start: text.length, end: text.length, text: `${gap}${line}` };
}

export interface NewLoop {
  readonly name: string;
  /** Provider id, or "provider/model". */
  readonly model: string;
  readonly metric: Metric;
  /** Whose embeddings measure, where the metric is `embedding`. */
  readonly embedder?: string | undefined;
  readonly data: DataBlock;
}

/**
 * A recipe that searches for a better instruction on this data: edits of the instruction in the manner of GrIPS (Prasad et
 * al. 2023), each round the best draft on fresh train tasks, kept when it is better on dev.
 */
export function newLoopText({ name, model, metric, embedder, data }: NewLoop): string {
  const quoted = (value: string) => stringify(value, { lineWidth: 0 }).trim();
  return `# A search for a better instruction on ${data.file.replace(/[\\r\\n]/g, ' ')}. The sealed test is scored once, at the end.
ratchet: 1
name: ${quoted(name)}
objective: { ability: ${stringify(`the tasks of ${data.file}`, { defaultStringType: 'QUOTE_DOUBLE', lineWidth: 0 }).trim()}, metric: ${metric} }
model: ${quoted(model)}${embedder === undefined ? '' : `\nembedder: ${quoted(embedder)}`}
instruction: ${metric === 'judge' || metric === 'rougeL' ? '"Answer the question."' : '"Answer with the final answer only."'}
data:${written(data, '  ')}
rounds: 3
seed: 1
budget: { minutes: 30, calls: 5000 }
steps:
  - revise: { over: instruction, n: 8, phrases: [think step by step, be careful, be brief, show your work, only the answer] }
  - update: { slot: instruction, op: set }
  - evaluate: { suite: train, temperature: 0 } # every draft on the same tasks
    as: screen
  - select: { over: candidates, policy: top, k: 1 }
  - evaluate: { suite: train, fresh: 100, temperature: 0 } # the winner again, on tasks it was not chosen by
    as: confirm
  - select: { over: candidates, policy: gate, confidence: 0.95 }
    as: gate
  - evaluate: { suite: dev, temperature: 0 }
`;
}
