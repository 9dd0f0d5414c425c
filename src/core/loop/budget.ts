/**
 * Owns the cap on a run: money, calls, tokens and minutes. Before a call its worst case is reserved; when it returns its
 * true cost is settled, so reservations plus settlements never exceed the cap, at any concurrency.
 * Deliberately knows no table of prices: it is handed the one its model has.
 */
import { costOf, type ModelPrice, perDollar } from '../measure/prices.ts';
import type { TokenUsage } from '../model/task.ts';
import type { Clock, ModelRequest } from '../ports.ts';
import { Halted } from './halt.ts';
import type { Recipe } from './recipe.ts';

export interface Budget {
  /** Reserves as many of these calls as fit, in order; 0 means the cap is reached. */
  reserve(requests: readonly ModelRequest[], terms?: Terms): number;
  /** Settles one call reserved on the same terms; unknown usage settles at its worst case. */
  settle(request: ModelRequest, usage: TokenUsage, terms?: Terms): void;
  /** Gives back the reservation of a call that was never made. */
  release(request: ModelRequest, terms?: Terms): void;
  /** True once the minutes are over. */
  readonly overdue: boolean;
  /** Reserved and settled so far, in US dollars; null where the price is not known. */
  readonly usd: number | null;
  /** Which cap stopped the run, as a sentence. */
  reason(): string;
}

/** What differs from calls made directly and now. */
export interface Terms {
  /** What these calls cost, where it is not what the model costs. */
  readonly price?: ModelPrice | null;
  /** They were made by an earlier session and are counted whatever the caps. */
  readonly committed?: boolean;
}

/** Tokens a message costs beside its text, at most, in every provider seen. */
const OVERHEAD = 8;
/** What saying that an answer has a form costs beside the form itself, at most. */
const FORM_OVERHEAD = 512;

interface Tokens {
  readonly input: number;
  readonly output: number;
}

/** Input counted as UTF-8 bytes plus overhead, output as the limit asked for. */
function worstCase(request: ModelRequest): Tokens {
  const input = request.messages.reduce((sum, { content }) => sum + utf8Bytes(content) + OVERHEAD, 0);
  const { responseFormat } = request;
  const form =
    responseFormat === undefined ? 0 : utf8Bytes(JSON.stringify(responseFormat.schema)) + FORM_OVERHEAD;
  return { input: input + form, output: request.maxTokens };
}

/** Both together. */
export function worstCaseTokens(request: ModelRequest): number {
  const { input, output } = worstCase(request);
  return input + output;
}

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

export interface Spent {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * `already` is what earlier sessions of this run settled. Minutes count from now: time standing still is not spent.
 * Throws Halted for a cap in money that cannot be kept: the price is unknown and no cap in tokens stands beside it.
 */
export function createBudget(
  caps: Recipe['budget'],
  already: Spent,
  clock: Clock,
  price: ModelPrice | null = null,
): Budget {
  if (caps.usd !== undefined && price === null && caps.tokens === undefined)
    throw new Halted(
      'budget',
      'The price of this model is not known, so a budget in money cannot be kept; add a budget in tokens, or give the price.',
    );
  const started = clock.monotonic();
  const limit = {
    calls: caps.calls ?? Infinity,
    tokens: caps.tokens ?? Infinity,
    money: price === null ? Infinity : Math.floor((caps.usd ?? Infinity) * perDollar),
    ms: (caps.minutes ?? Infinity) * 60_000,
  };
  const cost = ({ input, output }: Tokens, terms?: Terms): number => {
    const rate = terms?.price ?? price;
    return rate === null ? 0 : costOf(rate, input, output);
  };
  let calls = already.calls;
  let tokens = already.inputTokens + already.outputTokens;
  let money = cost({ input: already.inputTokens, output: already.outputTokens });
  const add = (spent: Tokens, sign: 1 | -1, terms?: Terms): void => {
    tokens += sign * (spent.input + spent.output);
    money += sign * cost(spent, terms);
  };
  const overdue = () => clock.monotonic() - started >= limit.ms;
  return {
    reserve(requests, terms) {
      const committed = terms?.committed === true;
      if (overdue() && !committed) return 0;
      let fit = 0;
      for (const request of requests) {
        const worst = worstCase(request);
        const fits =
          calls + 1 <= limit.calls &&
          tokens + worst.input + worst.output <= limit.tokens &&
          money + cost(worst, terms) <= limit.money;
        if (!fits && !committed) break;
        calls += 1;
        add(worst, 1, terms);
        fit += 1;
      }
      return fit;
    },
    settle(request, { input, output }, terms) {
      if (input === null || output === null) return;
      add(worstCase(request), -1, terms);
      add({ input, output }, 1, terms);
    },
    release(request, terms) {
      calls -= 1;
      add(worstCase(request), -1, terms);
    },
    get overdue() {
      return overdue();
    },
    get usd() {
      return price === null ? null : money / perDollar;
    },
    reason() {
      if (overdue()) return `The budget of ${caps.minutes} minutes is used up.`;
      if (calls + 1 > limit.calls) return `The budget of ${caps.calls} calls is used up.`;
      // The cap in money is named where it is the one that is nearly used up.
      if (money / limit.money > tokens / limit.tokens || limit.tokens === Infinity)
        return `The budget of $${caps.usd} has no room for another call.`;
      return `The budget of ${caps.tokens} tokens has no room for another call.`;
    },
  };
}
