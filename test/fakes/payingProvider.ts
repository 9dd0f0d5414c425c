/**
 * Owns a provider that keeps its own books: each call taken is paid for at once, at a true cost that never passes the worst
 * case, whether or not its answer ever arrives. Deliberately shares no arithmetic with the budget it is there to check.
 */
import type { Random } from '../../src/core/measure/random.ts';
import type {
  CallSource,
  LanguageModel,
  ModelAnswer,
  ModelRequest,
  StopSignal,
} from '../../src/core/ports.ts';

export interface Paid {
  readonly request: ModelRequest;
  readonly input: number;
  readonly output: number;
}

export interface PayingProvider {
  readonly model: LanguageModel;
  readonly paid: Paid[];
  /** Taken and not answered yet, now and at most. */
  readonly inFlight: { now: number; most: number };
  /** After this nothing is answered any more: the process is gone. */
  kill(): void;
}

export interface PayingOptions {
  readonly random: Random;
  readonly concurrency: number;
  readonly price: { readonly input: number; readonly output: number } | null;
  /** Share of answers that do not say what they used. */
  readonly silent?: number;
  /** Share of calls that fail. */
  readonly failing?: number;
  /** Called as each call is taken; may kill. */
  readonly onTaken?: (count: number) => void;
}

const bytesOf = (request: ModelRequest): number =>
  request.messages.reduce((sum, { content }) => sum + new TextEncoder().encode(content).length, 0);

export function payingProvider(options: PayingOptions): PayingProvider {
  const { random, concurrency, price, silent = 0, failing = 0, onTaken } = options;
  const paid: Paid[] = [];
  const inFlight = { now: 0, most: 0 };
  let dead = false;
  const never = new Promise<never>(() => undefined);
  async function* answer(source: CallSource, stop: StopSignal) {
    const ready: { index: number; answer: ModelAnswer }[] = [];
    const open: { index: number; answer: ModelAnswer }[] = [];
    let dry = false;
    let next: ReturnType<CallSource['next']> | null = null;
    while (!stop.aborted) {
      while (open.length < concurrency && !dry) {
        next ??= source.next();
        const call = await (open.length > 0 ? Promise.race([next, turnOfLoop()]) : next);
        if (call === 'later') break;
        next = null;
        if (dead) await never;
        if (call === null) {
          dry = true;
          break;
        }
        open.push({ index: call.index, answer: take(call.request) });
        inFlight.now = open.length;
        inFlight.most = Math.max(inFlight.most, open.length);
        onTaken?.(paid.length);
        if (dead) await never;
      }
      if (open.length === 0 && dry) return;
      for (let count = 1 + random.int(Math.max(1, open.length)); count > 0 && open.length > 0; count--) {
        const [item] = open.splice(random.int(open.length), 1);
        if (item !== undefined) ready.push(item);
      }
      inFlight.now = open.length;
      yield* ready.splice(0);
      if (random.unit() < 0.3) await turnOfLoop();
      if (dead) await never;
    }
  }
  const take = (request: ModelRequest): ModelAnswer => {
    const input = random.int(bytesOf(request) + 1);
    const output = random.int(request.maxTokens + 1);
    paid.push({ request, input, output });
    if (random.unit() < failing) return { ok: false, reason: 'the server failed' };
    const usage = random.unit() < silent ? { input: null, output: null } : { input, output };
    return { ok: true, text: 'x', finish: 'stop', usage, model: 'paying', requestId: null };
  };
  const model: LanguageModel = {
    name: 'paying',
    price,
    generate: () => {
      throw new Error('It is fed call by call.');
    },
    answer,
  };
  return {
    model,
    paid,
    inFlight,
    kill: () => {
      dead = true;
    },
  };
}

/** A source that has nothing yet must not keep what is in flight from being answered. */
async function turnOfLoop(): Promise<'later'> {
  await new Promise((resolve) => setImmediate(resolve));
  return 'later';
}
