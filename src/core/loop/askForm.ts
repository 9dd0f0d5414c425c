/**
 * Owns asking for answers of a form and, where one cannot be read, asking for it once more with what was wrong: an effect
 * of its own, counted by `attempt`. What can be read is the operator's to say, and tolerant (prompt/replies.ts): a provider
 * may hold answers to a schema, hold them to JSON, or only be told in words.
 * Deliberately repairs no outcome: a refusal, an answer cut at its limit and a failed call stay what they are.
 */
import type { Message, ModelAnswer, ResponseFormat } from '../ports.ts';
import type { Call } from './ledger.ts';
import type { StepContext } from './stepContext.ts';

export interface AnswerForm {
  readonly format: ResponseFormat;
  /** Whether a reply can be used. */
  readonly isReadable: (reply: string) => boolean;
}

/** Most of an unreadable reply that is shown to the model again, in UTF-16 units. */
const SHOWN = 4_000;

/** What was asked, what came, and that it is wanted as JSON; the sizes of a request stay as they were. */
export function repairMessages(
  asked: readonly Message[],
  reply: string,
  { schema }: ResponseFormat,
): readonly Message[] {
  const words = `That reply could not be read. Say the same again as one JSON object and nothing else, matching this JSON Schema:\n${JSON.stringify(schema)}`;
  return [...asked, { role: 'assistant', content: reply.slice(0, SHOWN) }, { role: 'user', content: words }];
}

/**
 * Answers in the order of the calls; of a call asked twice the second, where it can be read, else the first. Rejects as
 * `ask` does. `provider` is the id of another model than the run's.
 */
export async function askForm(
  context: Pick<StepContext, 'ask' | 'at'>,
  calls: readonly (Call & { readonly input: string })[],
  { format, isReadable }: AnswerForm,
  provider?: string,
): Promise<readonly ModelAnswer[]> {
  const { round } = context.at;
  const formed = calls.map((call) => ({ ...call, request: { ...call.request, responseFormat: format } }));
  const answers = await context.ask(round, formed, provider);
  const unread = formed.flatMap((call, index) => {
    const answer = answers[index];
    if (answer?.ok !== true || answer.finish !== 'stop' || isReadable(answer.text)) return [];
    const messages = repairMessages(call.request.messages, answer.text, format);
    const again = { ...call, attempt: (call.attempt ?? 0) + 1, request: { ...call.request, messages } };
    return [{ index, again }];
  });
  if (unread.length === 0) return answers;
  const repaired = await context.ask(
    round,
    unread.map(({ again }) => again),
    provider,
  );
  const final = [...answers];
  unread.forEach(({ index }, place) => {
    const answer = repaired[place];
    if (answer?.ok === true && isReadable(answer.text)) final[index] = answer;
  });
  return final;
}
