/**
 * Owns graders that give credit by likeness: words in order, edits, the angle of embeddings. Deliberately sets no
 * threshold: a score says how alike, `select` says how much is enough.
 */
import { cosine } from './diversity.ts';
import { noAnswer, type OpenGrade, unknown } from './grade.ts';
import { rougeL } from './rouge.ts';
import { comparisonCost, editDistance } from './sequences.ts';
import { asciiWords, numberer, type Tokenizer, unicodeWords } from './words.ts';

/** Blocks of cells a comparison may touch, a second's work at most. */
const mostWork = 50_000_000;

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

/** ROUGE-L f against the reference, by ASCII words where both texts have only those, else by words of any script. */
export function gradeRougeL(answer: string | null, reference: string, words?: Tokenizer): OpenGrade {
  if (answer === null) return noAnswer;
  const isAscii = (text: string): boolean => /^[\p{ASCII}]*$/u.test(text);
  const cut = words ?? (isAscii(answer) && isAscii(reference) ? asciiWords : unicodeWords);
  if (comparisonCost(cut(answer).length, cut(reference).length) > mostWork)
    return unknown('the texts are too long to compare');
  const { f, precision, recall } = rougeL(reference, answer, cut);
  return {
    score: f,
    reason: `ROUGE-L ${percent(f)} (precision ${percent(precision)}, recall ${percent(recall)})`,
  };
}

/** 1 minus the edit distance in characters over the longer length; 1 for two empty texts. NFC. */
export function gradeEdit(answer: string | null, reference: string): OpenGrade {
  if (answer === null) return noAnswer;
  const numbers = numberer<string>();
  const [a, b] = [numbers([...answer.normalize('NFC')]), numbers([...reference.normalize('NFC')])];
  if (comparisonCost(a.length, b.length) > mostWork) return unknown('the texts are too long to compare');
  const longer = Math.max(a.length, b.length);
  const distance = editDistance(a, b);
  return {
    score: longer === 0 ? 1 : 1 - distance / longer,
    reason: `${distance} edits in ${longer} characters`,
  };
}

/** Cosine of the embeddings of answer and reference, 0 where negative; unknown where an embedding is unusable. */
export function gradeEmbedding(
  answer: readonly number[] | null,
  reference: readonly number[] | null,
): OpenGrade {
  const angle = answer === null || reference === null ? null : cosine(answer, reference);
  if (angle === null) return unknown('there is no embedding to compare');
  return { score: Math.max(0, angle), reason: `embeddings at cosine ${Math.round(angle * 1000) / 1000}` };
}
