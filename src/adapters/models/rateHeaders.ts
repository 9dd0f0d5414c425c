/** Owns what an endpoint's headers say about when it may be asked again. Deliberately waits for nothing itself. */

/** Headers as read by lower-case name; null when absent. `Headers` fits. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** How much an endpoint says it will still take, and for how long that holds. */
export interface RateWindow {
  /** Requests it will answer before the window ends. */
  readonly requests: number;
  /** Milliseconds until the window ends. */
  readonly ms: number;
}

/**
 * Milliseconds from `retry-after-ms` or `Retry-After` (seconds, or a date read against the endpoint's own `Date`, since
 * the two clocks differ); null when absent or not one of these. `now` is milliseconds since 1970.
 */
export function retryAfter(headers: HeaderReader, now: number): number | null {
  const exact = decimal(headers.get('retry-after-ms'));
  if (exact !== null) return exact;
  const value = headers.get('retry-after');
  const seconds = decimal(value);
  if (seconds !== null) return seconds * 1000;
  if (value === null || !/[a-z]{3}/iu.test(value)) return null;
  return untilDate(value, headers, now);
}

/**
 * The tightest of the `x-ratelimit-*` windows (requests and tokens, as OpenAI, Azure, Groq and OpenRouter send them): null when
 * none is given or none can be read. A window of tokens counts only once it is empty: how many a request will take, only
 * the endpoint's tokenizer knows.
 */
export function rateWindow(headers: HeaderReader, now: number): RateWindow | null {
  const windows: RateWindow[] = [];
  for (const name of ['', '-requests', '-tokens']) {
    const left = decimal(headers.get(`x-ratelimit-remaining${name}`));
    if (left === null || (name === '-tokens' && left >= 1)) continue;
    const ms = untilReset(headers.get(`x-ratelimit-reset${name}`), headers, now);
    if (ms !== null && ms > 0) windows.push({ requests: Math.floor(left), ms });
  }
  return windows.reduce<RateWindow | null>((tightest, window) => {
    if (tightest === null || window.requests < tightest.requests) return window;
    return window.requests === tightest.requests && window.ms > tightest.ms ? window : tightest;
  }, null);
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Plain numbers from here on are moments (seconds since 1970), not durations: ten years of waiting is none. */
const earliestMoment = 315_360_000;

/** "6m0s", "20ms", "1.5" (seconds), a moment in seconds or milliseconds since 1970, or a date. */
function untilReset(text: string | null, headers: HeaderReader, now: number): number | null {
  if (text === null) return null;
  const plain = decimal(text);
  if (plain !== null) {
    if (plain < earliestMoment) return plain * 1000;
    return Math.max(0, (plain < earliestMoment * 1000 ? plain * 1000 : plain) - serverNow(headers, now));
  }
  const trimmed = text.trim();
  if (/^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h|d))+$/u.test(trimmed)) {
    let sum = 0;
    for (const [, amount, unit] of trimmed.matchAll(/([\d.]+)(ms|s|m|h|d)/gu))
      sum += Number(amount) * (unitMs[unit ?? ''] ?? 0);
    return sum;
  }
  return /^\d{4}-\d\d-\d\dT/u.test(trimmed) ? untilDate(trimmed, headers, now) : null;
}

function serverNow(headers: HeaderReader, now: number): number {
  const sent = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(sent) ? now : sent;
}

function untilDate(text: string, headers: HeaderReader, now: number): number | null {
  const wait = Date.parse(text) - serverNow(headers, now);
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

function decimal(text: string | null): number | null {
  return text !== null && /^\d{1,13}(?:\.\d{1,6})?$/u.test(text.trim()) ? Number(text) : null;
}
