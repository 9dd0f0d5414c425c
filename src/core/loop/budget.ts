/**
 * Owns the cap on a run: calls, tokens and minutes. Before a call its worst case is reserved; when it returns its true
 * cost is settled, so reservations plus settlements never exceed the cap, at any concurrency.
 * Deliberately knows no prices yet: a money cap needs them and comes with the providers that have them.
 */
import type { Clock, ModelRequest } from '../ports.ts';
import type { TokenUsage } from '../model/task.ts';
import type { Recipe } from './recipe.ts';

export interface Budget {
  /** Reserves as many of these calls as fit, in order; 0 means the cap is reached. */
  reserve(requests: readonly ModelRequest[]): number;
  /** Settles one reserved call; unknown usage settles at its worst case. */
  settle(request: ModelRequest, usage: TokenUsage): void;
  /** Gives back the reservation of a call that was never made. */
  release(request: ModelRequest): void;
  /** True once the minutes are over. */
  readonly overdue: boolean;
  /** Which cap stopped the run, as a sentence. */
  reason(): string;
}

/** Tokens a message costs beside its text, at most, in every provider seen. */
const OVERHEAD = 8;

/** Input counted as UTF-8 bytes plus overhead, output as the limit asked for. */
export function worstCaseTokens(request: ModelRequest): number {
  const input = request.messages.reduce((sum, { content }) => sum + utf8Bytes(content) + OVERHEAD, 0);
  return input + request.maxTokens;
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

/** `already` is what earlier sessions of this run settled. Minutes count from now: time standing still is not spent. */
export function createBudget(caps: Recipe['budget'], already: Spent, clock: Clock): Budget {
  const started = clock.monotonic();
  const limit = {
    calls: caps.calls ?? Infinity,
    tokens: caps.tokens ?? Infinity,
    ms: (caps.minutes ?? Infinity) * 60_000,
  };
  let calls = already.calls;
  let tokens = already.inputTokens + already.outputTokens;
  const overdue = () => clock.monotonic() - started >= limit.ms;
  return {
    reserve(requests) {
      if (overdue()) return 0;
      let fit = 0;
      for (const request of requests) {
        const worst = worstCaseTokens(request);
        if (calls + 1 > limit.calls || tokens + worst > limit.tokens) break;
        calls += 1;
        tokens += worst;
        fit += 1;
      }
      return fit;
    },
    settle(request, usage) {
      if (usage.input === null || usage.output === null) return;
      tokens += usage.input + usage.output - worstCaseTokens(request);
    },
    release(request) {
      calls -= 1;
      tokens -= worstCaseTokens(request);
    },
    get overdue() {
      return overdue();
    },
    reason() {
      if (overdue()) return `The budget of ${caps.minutes} minutes is used up.`;
      if (calls + 1 > limit.calls) return `The budget of ${caps.calls} calls is used up.`;
      return `The budget of ${caps.tokens} tokens has no room for another call.`;
    },
  };
}
