/**
 * Owns turning texts into vectors at an OpenAI-compatible endpoint (OpenAI API reference, "Embeddings"): several texts in
 * one request, several requests at once, through the same gate, clocks and judgement of faults as model calls.
 * Deliberately keeps no vector and compares none.
 */
import { priceOf } from '../../core/measure/prices.ts';
import type { Embedder, EmbeddingAnswer, StopSignal, TextSource } from '../../core/ports.ts';
import { type Ask, askEndpoint } from './askEndpoint.ts';
import { askMany, type Source } from './askMany.ts';
import { EndpointFault } from './endpointFault.ts';
import { listOf, modelNamed, objectOf, shares, tokenCount } from './json.ts';
import { endpointHash, type OpenAiEndpoint, openSession, type Session } from './session.ts';

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
/** How long a group waits for one more. */
const soonMs = 5;
const EMPTY: EmbeddingAnswer = { ok: false, reason: 'an empty text has no vector' };

function soon(next: Promise<Text | null>): Promise<Text | null | 'later'> {
  const later = new Promise<'later'>((resolve) => {
    setTimeout(resolve, soonMs, 'later');
  });
  return Promise.race([next, later]);
}

/**
 * Texts that go together: as many as can be taken soon. Waits for none much longer, since whoever hands them out may be
 * waiting for the answers to those already taken.
 */
function grouped(texts: TextSource): Source<readonly Text[]> & { readonly finish: () => Promise<void> } {
  let ahead: Promise<Text | null> | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  const take = (): Promise<Text | null> => {
    const text = ahead ?? texts.next();
    ahead = null;
    return text;
  };
  const group = async (): Promise<readonly Text[] | null> => {
    const first = await take();
    if (first === null) return null;
    const together = [first];
    let bytes = Buffer.byteLength(first.text);
    while (together.length < mostTexts) {
      const next = take();
      const text = await soon(next);
      const size = text === 'later' || text === null ? Infinity : Buffer.byteLength(text.text);
      if (text === 'later' || text === null || bytes + size > mostBytes) {
        ahead = next;
        break;
      }
      together.push(text);
      bytes += size;
    }
    return together;
  };
  return {
    size: texts.size,
    next() {
      const mine = turn.then(group);
      turn = mine.catch(() => undefined);
      return mine;
    },
    giveBack: (unit) => unit.forEach(({ index }) => texts.giveBack(index)),
    close: () => texts.close(),
    async finish() {
      texts.close();
      const text = await ahead;
      ahead = null;
      if (text !== null) texts.giveBack(text.index);
    },
  };
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

async function* embeddings(session: Session, texts: TextSource, stop: StopSignal): AsyncGenerator<Indexed> {
  const groups = grouped(texts);
  try {
    yield* askMany<readonly Text[], Indexed>(
      session,
      groups,
      stop,
      async (group, signal) => {
        const sent = group.filter(({ text }) => text !== '');
        const empty = group
          .filter(({ text }) => text === '')
          .map(({ index }): Indexed => ({ index, answer: EMPTY }));
        if (sent.length === 0) return { answer: empty, doubtful: false };
        const outcome = await askEndpoint(session, ask(session, sent), signal);
        if (outcome === null || outcome === 'unsent') return outcome;
        return { ...outcome, answer: [...empty, ...outcome.answer] };
      },
      ({ answer }) => (answer.ok ? '' : answer.reason),
    );
  } finally {
    await groups.finish();
  }
}

/** Vectors of the session's model, at its endpoint. */
export function embedderOf(session: Session): Embedder {
  const { endpoint, address } = session;
  return {
    name: `${endpoint.provider}/${endpoint.model}`,
    price: priceOf(address.host, endpoint.model, endpoint.prices ?? []),
    endpoint: endpointHash(endpoint),
    embed: (texts, stop) => embeddings(session, texts, stop),
  };
}

/** Vectors from an OpenAI-compatible endpoint. Throws ProviderError at once for an address it will not use. */
export function openaiEmbedder(endpoint: OpenAiEndpoint): Embedder {
  return embedderOf(openSession(endpoint));
}
