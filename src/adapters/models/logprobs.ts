/** Owns reading the log-probabilities of an answer's tokens. Deliberately believes no number that cannot be one. */
import type { TokenLogprob } from '../../core/ports.ts';
import { listOf, objectOf } from './json.ts';

function one(value: unknown): { readonly token: string; readonly logprob: number } | null {
  const { token, logprob } = objectOf(value) ?? {};
  if (typeof token !== 'string' || typeof logprob !== 'number' || !(logprob <= 0)) return null;
  // JSON has no infinity; some endpoints write a large negative number for it, which stays what it is.
  return { token, logprob };
}

/** Null for anything but a list in which every token has a logarithm of a probability. */
export function readLogprobs(content: unknown): readonly TokenLogprob[] | null {
  if (!Array.isArray(content)) return null;
  const tokens: TokenLogprob[] = [];
  for (const entry of content) {
    const token = one(entry);
    if (token === null) return null;
    const alternatives = listOf(objectOf(entry)?.['top_logprobs']).flatMap((each) => one(each) ?? []);
    tokens.push({ ...token, alternatives: alternatives.toSorted((a, b) => b.logprob - a.logprob) });
  }
  return tokens;
}
