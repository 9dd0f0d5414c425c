/**
 * Owns multiple choice: the answers to choose from, and which of them the gold answer means, as a letter. Deliberately
 * refuses what could be read two ways instead of choosing.
 */
import { isRow, textOf } from './fields.ts';

export interface Choices {
  readonly texts: readonly string[];
  /** What the file calls them, where it does; else null. */
  readonly labels: readonly string[] | null;
}

const mostChoices = 26;

/** From a list of texts, of {text, label}, from {text: [], label: []} or from {A: ..., B: ...}. Null when it is none of these. */
export function choicesIn(value: unknown): Choices | null {
  const found = listOf(value);
  if (found === null || found.texts.length < 2 || found.texts.length > mostChoices) return null;
  return found.texts.every((text) => text !== '') ? found : null;
}

function listOf(value: unknown): Choices | null {
  if (Array.isArray(value)) {
    if (value.every((item) => isRow(item) && Object.hasOwn(item, 'text'))) {
      const texts = value.map((item: { readonly text: unknown }) => plain(item.text));
      const labels = value.map((item: { readonly label?: unknown }) => plain(item.label));
      return { texts, labels: labels.every((label) => label !== '') ? labels : null };
    }
    return { texts: value.map(plain), labels: null };
  }
  if (!isRow(value)) return null;
  const { text: texts, label: labels } = value;
  // Texts without labels are several right answers, as in SQuAD, not choices.
  if (Array.isArray(texts))
    return Array.isArray(labels) ? { texts: texts.map(plain), labels: labels.map(plain) } : null;
  const entries = Object.entries(value);
  if (entries.length === 0 || !entries.every(([name]) => /^\(?[A-Za-z]\)?$/.test(name))) return null;
  return { texts: entries.map(([, text]) => plain(text)), labels: entries.map(([name]) => name) };
}

function plain(value: unknown): string {
  const read = textOf(value, '');
  return read.ok ? (read.text ?? '') : '';
}

export const letter = (index: number): string => String.fromCharCode(65 + index);

/** The choices as a model is shown them, one a line. */
export function lettered({ texts }: Choices): string {
  return texts.map((text, index) => `${letter(index)}) ${text}`).join('\n');
}

/**
 * Index of the choice that `answer` means: its label, its letter or its text, else its number counted from `first`; null
 * when it is none of them. `first` null: numbers are not understood, because the file does not show what they count from.
 */
export function chosen(answer: unknown, { texts, labels }: Choices, first: 0 | 1 | null): number | null {
  const text = plain(answer).trim();
  if (text === '') return null;
  const index = (found: number) => (found >= 0 && found < texts.length ? found : null);
  if (labels !== null) {
    const labelled = labels.findIndex((label) => bare(label) === bare(text));
    if (labelled >= 0) return labelled;
  }
  if (typeof answer !== 'number') {
    const same = texts.findIndex((choice) => choice.trim() === text);
    if (same >= 0 && texts.findLastIndex((choice) => choice.trim() === text) === same) return same;
    const sign = /^\(?([A-Za-z])(?:[).:]|$)/.exec(text)?.[1];
    if (sign !== undefined) return index(sign.toUpperCase().charCodeAt(0) - 65);
  }
  return first !== null && /^\d{1,2}$/.test(text) ? index(Number(text) - first) : null;
}

function bare(label: string): string {
  return label.replace(/[().:\s]/g, '').toUpperCase();
}

/** Whether numbered answers count from 0 or from 1, as far as these rows show it. */
export function numbersFrom(
  seen: Iterable<{ readonly answer: unknown; readonly choices: Choices }>,
): 0 | 1 | null {
  let zero = false;
  let end = false;
  for (const { answer, choices } of seen) {
    const text = plain(answer).trim();
    zero ||= text === '0';
    end ||= text === String(choices.texts.length);
  }
  return zero === end ? null : zero ? 0 : 1;
}
