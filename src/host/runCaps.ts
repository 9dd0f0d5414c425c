/**
 * Owns which caps a run stands under, how much of each is used, and what a person may be offered instead. Pure, and free of
 * the editor's types.
 */
import type { RunCaps } from '../core/model/cost.ts';
import type { RunSummary } from '../core/model/views.ts';
import { dollars } from '../protocol/comparison.ts';
import { count, duration } from '../protocol/wording.ts';

export type CapName = keyof RunCaps;

export interface CapUse {
  readonly name: CapName;
  readonly label: string;
  /** In the cap's own unit: calls, tokens, US dollars, minutes. */
  readonly cap: number;
  readonly used: number;
  /** "412 of 500". */
  readonly words: string;
  /** Twice the cap, and more than what is used. */
  readonly offer: number;
}

const labels: Readonly<Record<CapName, string>> = {
  calls: 'Model calls',
  tokens: 'Tokens',
  usd: 'US dollars',
  minutes: 'Minutes',
};

/** The largest values the engine takes (protocol/engine.ts, resumeRun). */
const largest: Readonly<Record<CapName, number>> = {
  calls: 1_000_000_000,
  tokens: 1_000_000_000_000,
  usd: 1_000_000,
  minutes: 100_000,
};

function say(name: CapName, value: number): string {
  if (name === 'usd') return dollars(value);
  return name === 'minutes' ? duration(value * 60_000) : count(Math.round(value));
}

function usedOf(name: CapName, { cost, calls }: RunSummary): number {
  switch (name) {
    case 'calls':
      return cost?.calls ?? calls;
    case 'tokens':
      return (cost?.inputTokens ?? 0) + (cost?.outputTokens ?? 0);
    case 'usd':
      return cost?.usd ?? 0;
    case 'minutes':
      return (cost?.ms ?? 0) / 60_000;
  }
}

/** The caps of a run, the one nearest its end first. */
export function capUses(run: RunSummary): readonly CapUse[] {
  const names = Object.keys(labels) as CapName[];
  return names
    .flatMap((name): readonly CapUse[] => {
      const cap = run.caps?.[name];
      if (cap === undefined) return [];
      const used = usedOf(name, run);
      const offer = Math.min(largest[name], 2 * Math.max(cap, used));
      const whole = name === 'calls' || name === 'tokens' ? Math.ceil(offer) : Number(offer.toPrecision(6));
      return [
        {
          name,
          label: labels[name],
          cap,
          used,
          words: `${say(name, used)} of ${say(name, cap)}`,
          offer: whole,
        },
      ];
    })
    .sort((left, right) => right.used / right.cap - left.used / left.cap);
}

/** Why a text is no new cap, as a sentence; null when it is one. */
export function wrongCap({ name, used }: CapUse, text: string): string | null {
  const value = Number(text.trim().replaceAll(/[\s,_]/gu, ''));
  if (text.trim() === '' || !Number.isFinite(value)) return 'Write a number.';
  if ((name === 'calls' || name === 'tokens') && !Number.isInteger(value)) return 'Write a whole number.';
  if (value <= used) return `Write more than the ${say(name, used)} it has used.`;
  return value > largest[name] ? `Write at most ${say(name, largest[name])}.` : null;
}

/** The number in a text that wrongCap has nothing against. */
export function readCap(text: string): number {
  return Number(text.trim().replaceAll(/[\s,_]/gu, ''));
}
