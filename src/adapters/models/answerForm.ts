/**
 * Owns how an answer of a given form is asked for: by its JSON Schema where the endpoint holds answers to one, else as any
 * JSON object with the schema in words, else in words alone. Deliberately checks no answer against the schema: whoever
 * asked does, since no way of asking is sure.
 */
import type { Message, ModelRequest } from '../../core/ports.ts';
import type { OptionalField } from './judgeFault.ts';

type FormField = Extract<OptionalField, 'json_schema' | 'json_object'>;

/** The best way of those the endpoint has not been found not to take; null where only words are left, or no form is asked for. */
export function formField(request: ModelRequest, refused: ReadonlySet<OptionalField>): FormField | null {
  if (request.responseFormat === undefined) return null;
  if (!refused.has('json_schema')) return 'json_schema';
  return refused.has('json_object') ? null : 'json_object';
}

/** The messages, with the form in words at the end of the last one where the endpoint is not given the schema itself. */
export function messagesOf(
  request: ModelRequest,
  refused: ReadonlySet<OptionalField>,
): readonly Pick<Message, 'role' | 'content'>[] {
  const { messages, responseFormat } = request;
  const plain = messages.map(({ role, content }) => ({ role, content }));
  if (responseFormat === undefined || formField(request, refused) === 'json_schema') return plain;
  const words = `Answer with one JSON object and nothing else. It must match this JSON Schema:\n${JSON.stringify(responseFormat.schema)}`;
  return plain.map(({ role, content }, index) => ({
    role,
    content: index === plain.length - 1 ? `${content}\n\n${words}` : content,
  }));
}

/** Fields of the request that the endpoint may refuse, beside those every request has. */
export function formFields(
  request: ModelRequest,
  refused: ReadonlySet<OptionalField>,
): readonly OptionalField[] {
  const form = formField(request, refused);
  const logprobs = request.logprobs !== undefined && !refused.has('logprobs');
  return [...(form === null ? [] : [form]), ...(logprobs ? (['logprobs'] as const) : [])];
}

/** Whether a text is one JSON object: what an endpoint that holds answers to a form gives. */
export function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
