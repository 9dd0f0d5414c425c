/**
 * Owns how an estimate is said to a person: every figure a range, rounded so that it claims no more than it knows. Pure;
 * the same for the panel and the questions of the editor. Deliberately never says 0 for what is not known.
 */
import type { Range, RunEstimate } from '../core/model/estimate.ts';
import { count, counted, duration } from './wording.ts';

/** Two significant digits, away from the middle of the range; the one number where both ends are the same. */
export function rounded({ low, high }: Range): Range {
  if (low === high) return { low, high };
  return { low: toTwoDigits(low, Math.floor), high: toTwoDigits(high, Math.ceil) };
}

function toTwoDigits(value: number, round: (value: number) => number): number {
  // Below this the powers of ten themselves are not exact, and nobody cares.
  if (value < 1e-9) return value;
  const exponent = Math.floor(Math.log10(value)) - 1;
  // Powers of ten below 1 are not exact; dividing by their reciprocals is.
  return exponent >= 0
    ? round(value / 10 ** exponent) * 10 ** exponent
    : round(value * 10 ** -exponent) / 10 ** -exponent;
}

/** "1 200 to 1 500", or the one number where both ends are written alike. */
function between(range: Range, say: (value: number) => string): string {
  const { low, high } = rounded(range);
  const [from, to] = [say(low), say(high)];
  return from === to ? from : `${from} to ${to}`;
}

/** With as many places as two significant digits take. */
function dollars(usd: number): string {
  if (usd === 0 || usd >= 0.1) return `$${usd.toFixed(usd >= 1_000 ? 0 : 2)}`;
  return `$${usd.toFixed(1 - Math.floor(Math.log10(usd)))}`;
}

const whole = (value: number) => count(Math.round(value));

/** Calls, tokens, money and time, in this order: "3 700 to 4 100 calls", "50 000 to 90 000 tokens", "$0.0100 to $0.0300", ... */
export function estimateParts({ calls, inputTokens, outputTokens, usd, ms }: RunEstimate): readonly string[] {
  const tokens = { low: inputTokens.low + outputTokens.low, high: inputTokens.high + outputTokens.high };
  return [
    `${between(calls, whole)} ${calls.high === 1 ? 'call' : 'calls'}`,
    `${between(tokens, whole)} tokens`,
    usd === null ? 'price unknown' : usd.high === 0 ? 'free' : between(usd, dollars),
    ms === null ? 'time unknown' : between(ms, duration),
  ];
}

/** What the figures are drawn from, one sentence. */
export function estimateSource({ measured }: RunEstimate): string {
  return measured === 0
    ? 'This model has answered nothing here yet, so the ranges are wide.'
    : `Drawn from ${counted(measured, 'answer')} of this model in earlier runs here.`;
}
