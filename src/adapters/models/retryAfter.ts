/** Owns how long an endpoint asks to be left alone. Deliberately waits for nothing itself. */

/**
 * Milliseconds from `retry-after-ms` or `Retry-After` (seconds, or a date read against the endpoint's own `Date`, since
 * the two clocks differ); null when absent or not one of these. `now` is milliseconds since 1970.
 */
export function retryAfter(headers: Headers, now: number): number | null {
  const exact = decimal(headers.get('retry-after-ms'));
  if (exact !== null) return exact;
  const value = headers.get('retry-after');
  const seconds = decimal(value);
  if (seconds !== null) return seconds * 1000;
  if (value === null || !/[a-z]{3}/iu.test(value)) return null;
  const until = Date.parse(value);
  const sent = Date.parse(headers.get('date') ?? '');
  const wait = until - (Number.isNaN(sent) ? now : sent);
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

function decimal(text: string | null): number | null {
  return text !== null && /^\d{1,12}(?:\.\d{1,6})?$/u.test(text.trim()) ? Number(text) : null;
}
