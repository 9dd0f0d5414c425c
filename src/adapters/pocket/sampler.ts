/**
 * Owns continuous batching: many requests share the streams of one inference, equal prompts are read once, and a
 * stream that ends makes room at once. Each request draws from its own random stream, so its text does not depend on
 * what is sampled beside it. Deliberately knows tokens only.
 */
import type { Inference } from './inference.ts';
import { endToken } from './text.ts';

export interface SampleRequest {
  readonly prompt: readonly number[];
  /** 0 is greedy. */
  readonly temperature: number;
  /** At least 1. */
  readonly maxTokens: number;
  /** Unsigned 32-bit. */
  readonly seed: number;
}

export interface Sampled {
  readonly index: number;
  /** Drawn tokens without the end. */
  readonly tokens: readonly number[];
  readonly finish: 'stop' | 'length';
}

interface Stream {
  readonly index: number;
  readonly stream: number;
  readonly temperature: number;
  readonly uniform: () => number;
  readonly tokens: number[];
  /** Text tokens it may still draw. */
  left: number;
  /** Next position to fill. */
  position: number;
}

/** sfc32 (Doty-Humphrey, PractRand): uniform in [0, 1) with 24 bits, exact in single precision. */
export function uniformStream(seed: number): () => number {
  let a = 0;
  let b = seed | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 8;
  };
  for (let i = 0; i < 12; i++) next();
  return () => next() / 0x1_00_00_00;
}

/** Requests with the same prompt, which is read once for as many of them as find a stream. */
interface Group {
  readonly prompt: readonly number[];
  readonly members: number[];
}

function groups(requests: readonly SampleRequest[]): Group[] {
  const byPrompt = new Map<string, Group>();
  for (const [index, { prompt }] of requests.entries()) {
    const key = prompt.join();
    const group = byPrompt.get(key);
    if (group) group.members.push(index);
    else byPrompt.set(key, { prompt, members: [index] });
  }
  return [...byPrompt.values()];
}

/**
 * Samples every request, calling `onDone` once for each as it ends; a prompt must leave room for one token in
 * `context`. Returns early when `stopped` says so, asked once a step. Returns the tokens drawn and read.
 */
export function sample(
  inference: Inference,
  context: number,
  requests: readonly SampleRequest[],
  stopped: () => boolean,
  onDone: (sampled: Sampled) => void,
): { readonly drawn: number; readonly read: number } {
  const waiting = groups(requests).reverse();
  const free = Array.from({ length: inference.streams }, (_, stream) => inference.streams - 1 - stream);
  let active: Stream[] = [];
  let drawn = 0;
  let read = 0;

  const admit = (rowsUsed: number): readonly [first: Stream, ...others: Stream[]][] => {
    const admitted: [Stream, ...Stream[]][] = [];
    let rows = rowsUsed;
    for (let group = waiting.at(-1); group; group = waiting.at(-1)) {
      if (free.length === 0 || rows + group.prompt.length > inference.rows) break;
      rows += group.prompt.length;
      read += group.prompt.length;
      const { prompt } = group;
      const started = group.members.splice(0, free.length).map((index) => {
        const { temperature, maxTokens, seed } = requests[index] as SampleRequest;
        const left = Math.min(maxTokens, context - prompt.length);
        const position = prompt.length;
        const stream = free.pop() as number;
        return { index, stream, temperature, uniform: uniformStream(seed), tokens: [], left, position };
      });
      if (group.members.length === 0) waiting.pop();
      admitted.push(started as unknown as [Stream, ...Stream[]]);
      readPrompt(inference, prompt, started);
    }
    return admitted;
  };

  while ((waiting.length > 0 || active.length > 0) && !stopped()) {
    for (const stream of active) {
      const row = inference.push(stream.stream, stream.position++, stream.tokens.at(-1) as number);
      inference.want(row, stream.temperature, stream.uniform());
    }
    const admitted = admit(active.length);
    const tokens = inference.run();
    drawn += tokens.length;
    for (const [first, ...others] of admitted)
      for (const other of others) inference.copy(first.stream, other.stream, first.position);
    active = [...active, ...admitted.flat()].filter((stream, i) => {
      const token = tokens[i] as number;
      if (token !== endToken) stream.tokens.push(token);
      const ended = token === endToken || stream.tokens.length >= stream.left;
      if (!ended) return true;
      free.push(stream.stream);
      onDone({ index: stream.index, tokens: stream.tokens, finish: token === endToken ? 'stop' : 'length' });
      return false;
    });
  }
  return { drawn, read };
}

/** Queues the prompt on the first stream and asks for one token after it for each stream. */
function readPrompt(inference: Inference, prompt: readonly number[], streams: readonly Stream[]): void {
  let row = 0;
  for (const [position, token] of prompt.entries())
    row = inference.push((streams[0] as Stream).stream, position, token);
  for (const stream of streams) inference.want(row, stream.temperature, stream.uniform());
}
