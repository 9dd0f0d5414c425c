/**
 * Owns the form in which training data leaves for a trainer elsewhere: a JSON object a line. `sft` in the chat form of
 * OpenAI's fine-tuning, `pairs` as prompt, chosen and rejected messages (the form TRL's DPO trainer reads), `reward` with a
 * score. Deliberately writes no file.
 */
import type { TrainingPair } from '../ports.ts';
import type { RewardExample } from './pack.ts';
import type { TrainingExample } from '../ports.ts';

export type ExportData =
  | { readonly form: 'sft'; readonly examples: readonly TrainingExample[] }
  | { readonly form: 'reward'; readonly examples: readonly RewardExample[] }
  | { readonly form: 'pairs'; readonly pairs: readonly TrainingPair[] };

const answer = (content: string) => ({ role: 'assistant', content });

export function exportText(data: ExportData): string {
  const rows =
    data.form === 'pairs'
      ? data.pairs.map(({ messages, chosen, rejected }) => ({
          prompt: messages,
          chosen: [answer(chosen)],
          rejected: [answer(rejected)],
        }))
      : data.form === 'reward'
        ? data.examples.map(({ messages, completion, score }) => ({
            messages: [...messages, answer(completion)],
            score,
          }))
        : data.examples.map(({ messages, completion }) => ({ messages: [...messages, answer(completion)] }));
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}
