/**
 * Owns turning texts into vectors at an OpenAI-compatible endpoint (OpenAI API reference, "Embeddings"): several texts in
 * one request, several requests at once, through the same gate, clocks and judgement of faults as model calls.
 * Deliberately keeps no vector and compares none.
 */
import { priceOf } from '../../core/measure/prices.ts';
import type { Embedder, EmbeddingAnswer, StopSignal } from '../../core/ports.ts';
import { type Ask, askEndpoint } from './askEndpoint.ts';
import { askMany } from './askMany.ts';
import { EndpointFault } from './endpointFault.ts';
import { listOf, modelNamed, objectOf, shares, tokenCount } from './json.ts';
import { type OpenAiEndpoint, openSession, type Session } from './session.ts';

interface Text {
  readonly index: number;
  readonly text: string;
}
interface Indexed {
  readonly index: number;
  readonly answer: EmbeddingAnswer;
}

/** OpenAI takes 2,048 texts and 300,000 tokens in one request; bytes are never fewer than tokens. */
const mostTexts = 256;
const mostBytes = 250_000;

function grouped(texts: readonly Text[]): readonly (readonly Text[])[] {
  const groups: Text[][] = [];
  let bytes = 0;
  for (const text of texts) {
    const size = Buffer.byteLength(text.text);
    const last = groups.at(-1);
    if (last === undefined || last.length === mostTexts || bytes + size > mostBytes) {
      groups.push([text]);
      bytes = size;
    } else {
      last.push(text);
      bytes += size;
    }
  }
  return groups;
}

function vectorOf(value: unknown): Float32Array | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  return value.every((part) => typeof part === 'number' && Number.isFinite(part))
    ? Float32Array.from(value as readonly number[])
    : null;
}

/** One answer for each text, by the index the endpoint gives it. Throws EndpointFault for a body that holds no list. */
function read(
  body: unknown,
  texts: readonly Text[],
  asked: string,
  requestId: string | null,
): readonly Indexed[] {
  const answer = objectOf(body);
  if (answer === null || !Array.isArray(answer['data'])) throw new EndpointFault({ kind: 'malformed' });
  const vectors = new Map<number, Float32Array>();
  listOf(answer['data']).forEach((each, place) => {
    const entry = objectOf(each);
    const index = tokenCount(entry?.['index']) ?? place;
    const vector = vectorOf(entry?.['embedding']);
    if (vector !== null && !vectors.has(index)) vectors.set(index, vector);
  });
  const lengths = new Set([...vectors.values()].map(({ length }) => length));
  const inputs = shares(
    tokenCount(objectOf(answer['usage'])?.['prompt_tokens']),
    texts.map(({ text }) => Buffer.byteLength(text)),
  );
  const model = modelNamed(answer['model'], asked);
  return texts.map(({ index }, place): Indexed => {
    const vector = vectors.get(place);
    if (vector === undefined || lengths.size > 1)
      return { index, answer: { ok: false, reason: 'the endpoint sent no vector for this text' } };
    const usage = { input: inputs[place] ?? null, output: 0 };
    return { index, answer: { ok: true, vector, usage, model, requestId } };
  });
}

function ask({ endpoint }: Session, texts: readonly Text[]): Ask<readonly Indexed[]> {
  return {
    what: 'embedding',
    sent: () => [],
    send: (client) =>
      client.embeddings
        .create({
          model: endpoint.model,
          input: texts.map(({ text }) => text),
          encoding_format: 'float',
        })
        .asResponse(),
    read: (body, requestId) => read(body, texts, endpoint.model, requestId),
    failed: (reason) => texts.map(({ index }) => ({ index, answer: { ok: false, reason } })),
    answeredBy: ([first]) => (first?.answer.ok === true ? first.answer.model : null),
  };
}

async function* embeddings(
  session: Session,
  texts: readonly string[],
  stop: StopSignal,
): AsyncGenerator<Indexed> {
  const all = texts.map((text, index) => ({ text, index }));
  for (const { index } of all.filter(({ text }) => text === ''))
    yield { index, answer: { ok: false, reason: 'an empty text has no vector' } };
  const groups = grouped(all.filter(({ text }) => text !== ''));
  let next = 0;
  const source = {
    size: groups.length,
    next: async () => groups[next++] ?? null,
    giveBack: () => undefined,
    close: () => {
      next = groups.length;
    },
  };
  yield* askMany<readonly Text[], Indexed>(
    session,
    source,
    stop,
    (group, signal) => askEndpoint(session, ask(session, group), signal),
    ({ answer }) => (answer.ok ? '' : answer.reason),
  );
}

/** Vectors from an OpenAI-compatible endpoint. Throws ProviderError at once for an address it will not use. */
export function openaiEmbedder(endpoint: OpenAiEndpoint): Embedder {
  const session = openSession(endpoint);
  return {
    name: `${endpoint.provider}/${endpoint.model}`,
    price: priceOf(session.address.host, endpoint.model, endpoint.prices ?? []),
    embed: (texts, stop) => embeddings(session, texts, stop),
  };
}
