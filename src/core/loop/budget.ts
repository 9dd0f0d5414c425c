/**
 * Owns the cap on a run: money, calls, tokens and minutes. Before a call its worst case is reserved; when it returns its
 * true cost is settled, so reservations plus settlements never exceed the cap, at any concurrency.
 * Deliberately knows no table of prices: it is handed the one its model has.
 */
import { costOf, type ModelPrice, perDollar } from '../measure/prices.ts';
import type { RunCost } from '../model/cost.ts';
import type { TokenUsage } from '../model/task.ts';
import type { Clock, ModelRequest } from '../ports.ts';
import { Halted } from './halt.ts';
import {
  type Caps,
  type Charged,
  noTokens,
  nothingCharged,
  nothingPaid,
  type Paid,
  type Tokens,
  type Worst,
} from './journal.ts';

export interface Budget {
  /** Reserves as many of these calls as fit, in order; 0 means the cap is reached. */
  reserve(requests: readonly ModelRequest[], terms?: Terms): number;
  /**
   * Settles one call reserved on the same terms; what its usage does not say settles at its worst case.
   */
  settle(request: ModelRequest, usage: TokenUsage, terms?: Terms): Settlement;
  /** What a reservation of this call holds. */
  worst(request: ModelRequest, terms?: Terms): Worst;
  /** Gives back the reservation of a call that was never made. */
  release(request: ModelRequest, terms?: Terms): void;
  /** A reserved call that may have been made and will never be answered: it stays at its worst case. */
  lose(request: ModelRequest, terms?: Terms): void;
  /** Answers taken from other runs. */
  reuse(count: number, from: 'origin' | 'cache'): void;
  /** True once the minutes are over. */
  readonly overdue: boolean;
  /** Reserved and settled so far, in US dollars; null where a price is not known. */
  readonly usd: number | null;
  /** What is settled and lost so far, over all sessions; reservations whose answer may still come are not in it. */
  meter(): RunCost;
  /** Which cap stopped the run, as a sentence. */
  reason(): string;
}

export interface Settlement {
  /** Counted beyond what the usage says. */
  readonly beyond: Tokens;
  /** What all of it cost; null where the price is not known. */
  readonly paid: Paid | null;
  /** Its tokens where it is another model's, of a price nobody knows; else null. */
  readonly unpriced: Tokens | null;
}

/** What differs from calls made directly and now. */
export interface Terms {
  /** What these calls cost, where it is not what the run's model costs; null for a price that is not known. */
  readonly price?: ModelPrice | null;
  /** They were made by an earlier session and are counted whatever the caps. */
  readonly committed?: boolean;
}

/** Tokens a message costs beside its text, at most, in every provider seen. */
const OVERHEAD = 8;
/** What saying that an answer has a form costs beside the form itself, at most. */
const FORM_OVERHEAD = 512;

/** Input counted as UTF-8 bytes plus overhead, output as the limit asked for. */
export function worstCase(request: ModelRequest): Tokens {
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

/** What earlier sessions of a run have used: what its answers reported, and what is charged beyond that. */
export interface Already {
  readonly spent: Spent;
  readonly charged: Charged;
}

export const nothingUsed: Already = {
  spent: { calls: 0, inputTokens: 0, outputTokens: 0 },
  charged: nothingCharged,
};

/**
 * Billionths of a dollar; what no price was noted for costs what the run's model costs, 0 where that is not known. What is
 * known to have no known price counts for nothing here, and makes the whole sum unknown (costSoFar).
 */
function moneySoFar({ spent, charged }: Already, price: ModelPrice | null): number {
  const [money, input, output] = charged.paid ?? nothingPaid;
  const other = charged.unpriced ?? noTokens;
  const rest = [
    spent.inputTokens + charged.input - input - other.input,
    spent.outputTokens + charged.output - output - other.output,
  ];
  const [read, written] = rest.map((tokens) => Math.max(0, tokens)) as [number, number];
  return money + (price === null ? 0 : costOf(price, read, written));
}

const isUnpriced = ({ input, output }: Tokens): boolean => input + output > 0;

/** A run's cost as far as it is known; `usd` is null where the price of its model, or of another it asked, is not. */
export function costSoFar({ spent, charged }: Already, price: ModelPrice | null): RunCost {
  const inputTokens = spent.inputTokens + charged.input;
  const outputTokens = spent.outputTokens + charged.output;
  return {
    calls: spent.calls + charged.lost,
    inputTokens,
    outputTokens,
    usd:
      price === null || isUnpriced(charged.unpriced ?? noTokens)
        ? null
        : moneySoFar({ spent, charged }, price) / perDollar,
    worstCaseCalls: charged.lost + charged.unknown,
    reused: charged.reused,
    cached: charged.cached ?? 0,
    ms: charged.ms,
  };
}

/**
 * Minutes count while a run is executing: time standing still is not spent. Throws Halted for a cap in money that cannot
 * be kept: the price is unknown and no cap in tokens stands beside it.
 */
export function createBudget(
  caps: Caps,
  already: Already,
  clock: Pick<Clock, 'monotonic'>,
  price: ModelPrice | null = null,
): Budget {
  if (caps.usd !== undefined && price === null && caps.tokens === undefined)
    throw new Halted(
      'budget',
      'The price of this model is not known, so a budget in money cannot be kept; add a budget in tokens, or give the price.',
    );
  const started = clock.monotonic() - already.charged.ms;
  const limit = limitsOf(caps, price);
  const tally = createTally(already, price);
  const elapsed = () => clock.monotonic() - started;
  const overdue = () => elapsed() >= limit.ms;
  const fits = (worst: Tokens, terms: Terms | undefined): boolean =>
    tally.calls() + 1 <= limit.calls &&
    tally.tokens() + worst.input + worst.output <= limit.tokens &&
    tally.money() + (tally.cost(worst, terms) ?? 0) <= limit.money;
  return {
    reserve(requests, terms) {
      const committed = terms?.committed === true;
      if (overdue() && !committed) return 0;
      let fit = 0;
      for (const request of requests) {
        const worst = worstCase(request);
        if (!committed && !fits(worst, terms)) break;
        tally.hold(worst, 1, terms);
        fit += 1;
      }
      return fit;
    },
    settle(request, usage, terms) {
      const worst = worstCase(request);
      tally.hold(worst, -1, terms);
      const used = { input: usage.input ?? worst.input, output: usage.output ?? worst.output };
      const cost = tally.use(used, terms);
      if (usage.input === null || usage.output === null) tally.guessed();
      return {
        beyond: {
          input: usage.input === null ? worst.input : 0,
          output: usage.output === null ? worst.output : 0,
        },
        paid: cost === null ? null : [cost, used.input, used.output],
        unpriced: terms?.price === null ? used : null,
      };
    },
    worst(request, terms) {
      const { input, output } = worstCase(request);
      if (terms?.price === null) return [input, output, null];
      const cost = tally.cost({ input, output }, terms);
      return cost === null ? [input, output] : [input, output, cost];
    },
    release: (request, terms) => tally.hold(worstCase(request), -1, terms),
    lose(request, terms) {
      const worst = worstCase(request);
      tally.hold(worst, -1, terms);
      tally.use(worst, terms);
      tally.guessed();
    },
    reuse: (count, from) => tally.reuse(count, from),
    get overdue() {
      return overdue();
    },
    get usd() {
      return tally.soFar().usd === null ? null : tally.money() / perDollar;
    },
    meter: () => ({ ...tally.soFar(), ms: elapsed() }),
    reason() {
      if (overdue()) return `The budget of ${caps.minutes} minutes is used up.`;
      if (tally.calls() + 1 > limit.calls) return `The budget of ${caps.calls} calls is used up.`;
      // The cap in money is named where it is the one that is nearly used up.
      if (tally.money() / limit.money > tally.tokens() / limit.tokens || limit.tokens === Infinity)
        return `The budget of $${caps.usd} has no room for another call.`;
      return `The budget of ${caps.tokens} tokens has no room for another call.`;
    },
  };
}

function limitsOf(caps: Caps, price: ModelPrice | null) {
  return {
    calls: caps.calls ?? Infinity,
    tokens: caps.tokens ?? Infinity,
    money: price === null ? Infinity : Math.floor((caps.usd ?? Infinity) * perDollar),
    ms: (caps.minutes ?? Infinity) * 60_000,
  };
}

/** The sums themselves: what is certain, and on top of it the reservations whose answer may still come. */
function createTally(already: Already, price: ModelPrice | null) {
  const before = costSoFar(already, price);
  const used = { calls: before.calls, input: before.inputTokens, output: before.outputTokens };
  const reserved = { calls: 0, tokens: 0, money: 0 };
  const counts = { worstCase: before.worstCaseCalls, reused: before.reused, cached: before.cached ?? 0 };
  let unpriced = isUnpriced(already.charged.unpriced ?? noTokens);
  /** Null for a price that is not known: never that of another model. */
  const cost = ({ input, output }: Tokens, terms?: Terms): number | null => {
    const rate = terms?.price === undefined ? price : terms.price;
    return rate === null ? null : costOf(rate, input, output);
  };
  let settled = moneySoFar(already, price);
  return {
    cost,
    calls: () => used.calls + reserved.calls,
    tokens: () => used.input + used.output + reserved.tokens,
    money: () => settled + reserved.money,
    hold(worst: Tokens, sign: 1 | -1, terms?: Terms): void {
      reserved.calls += sign;
      reserved.tokens += sign * (worst.input + worst.output);
      reserved.money += sign * (cost(worst, terms) ?? 0);
    },
    use(taken: Tokens, terms?: Terms): number | null {
      used.calls += 1;
      used.input += taken.input;
      used.output += taken.output;
      const money = cost(taken, terms);
      settled += money ?? 0;
      unpriced ||= terms?.price === null && isUnpriced(taken);
      return money;
    },
    guessed(): void {
      counts.worstCase += 1;
    },
    reuse(count: number, from: 'origin' | 'cache'): void {
      counts[from === 'origin' ? 'reused' : 'cached'] += count;
    },
    soFar: (): Omit<RunCost, 'ms'> => ({
      calls: used.calls,
      inputTokens: used.input,
      outputTokens: used.output,
      usd: price === null || unpriced ? null : settled / perDollar,
      worstCaseCalls: counts.worstCase,
      reused: counts.reused,
      cached: counts.cached,
    }),
  };
}

/** The same budget for calls of another price than the run's model has. */
export function atPrice(budget: Budget, price: ModelPrice | null): Budget {
  return {
    ...budget,
    reserve: (requests, terms) => budget.reserve(requests, { price, ...terms }),
    settle: (request, usage, terms) => budget.settle(request, usage, { price, ...terms }),
    release: (request, terms) => budget.release(request, { price, ...terms }),
    lose: (request, terms) => budget.lose(request, { price, ...terms }),
    worst: (request, terms) => budget.worst(request, { price, ...terms }),
    get overdue() {
      return budget.overdue;
    },
    get usd() {
      return budget.usd;
    },
  };
}
