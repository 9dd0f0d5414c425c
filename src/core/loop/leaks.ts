/**
 * Owns finding train tasks that nearly equal a sealed one: a gain on those may be memory. In the manner of contamination
 * reports by n-gram overlap (Brown et al. 2020, appendix C), with shorter n-grams because tasks are shorter than documents.
 * Deliberately only reports: equal tasks are taken out elsewhere, near ones are a person's decision.
 */
import type { Task } from '../model/task.ts';

export interface NearCopies {
  /** Train tasks that nearly equal some sealed task. */
  readonly count: number;
  /** One of them, beside the sealed task it nearly equals. */
  readonly first: { readonly train: Task; readonly sealed: Task } | null;
  /** Train tasks that were looked at; fewer than all where there is more text than is worth the time. */
  readonly checked: number;
}

/** Words in a row. */
const shingle = 5;
/** Tasks of fewer words have too few shingles to tell likeness from chance: they have to be equal word for word. */
const fewWords = 8;
/** Share of a sealed task's shingles that a train task has. */
const near = 0.8;
/** A shingle of more sealed tasks than this is their common wording, not their content. */
const common = 50;
/** Characters of train text; more would hold up the engine for seconds. */
const mostText = 4_000_000;

/** Lower case, in any script; scripts without spaces count each sign as a word. */
function wordsOf({ input, context }: Task): readonly string[] {
  const text = `${input} ${context ?? ''}`.normalize('NFKC').toLowerCase();
  return (
    text.match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{Letter}\p{Number}\p{Mark}]+/gu,
    ) ?? []
  );
}

function shinglesOf(words: readonly string[]): ReadonlySet<string> {
  if (words.length < fewWords) return new Set([words.join(' ')]);
  const found = new Set<string>();
  for (let at = 0; at + shingle <= words.length; at++) found.add(words.slice(at, at + shingle).join(' '));
  return found;
}

/** The share is of the sealed task's shingles, so a sealed task inside a longer train task counts as leaked. */
export function nearCopies(train: readonly Task[], sealed: readonly Task[]): NearCopies {
  const holders = new Map<string, number[]>();
  sealed.forEach((task, index) => {
    for (const piece of shinglesOf(wordsOf(task))) {
      const known = holders.get(piece);
      if (known === undefined) holders.set(piece, [index]);
      else known.push(index);
    }
  });
  const totals = new Map<number, number>();
  for (const [piece, indexes] of holders) {
    if (piece === '' || indexes.length > common) holders.delete(piece);
    else for (const index of indexes) totals.set(index, (totals.get(index) ?? 0) + 1);
  }
  let count = 0;
  let checked = 0;
  let text = 0;
  let first: NearCopies['first'] = null;
  for (const task of train) {
    text += task.input.length + (task.context?.length ?? 0);
    if (text > mostText) break;
    checked += 1;
    const hits = new Map<number, number>();
    for (const piece of shinglesOf(wordsOf(task)))
      for (const index of holders.get(piece) ?? []) hits.set(index, (hits.get(index) ?? 0) + 1);
    const found = [...hits].find(([index, hit]) => hit >= near * (totals.get(index) ?? Infinity));
    const copied = found === undefined ? undefined : sealed[found[0]];
    if (copied === undefined) continue;
    count += 1;
    first ??= { train: task, sealed: copied };
  }
  return { count, first, checked };
}
