/**
 * Owns a run's account as it is durable: how each session began (engine, recipe, price, caps, origin) and, within one,
 * which calls were reserved, settled and given back. What was reserved and is neither settled nor given back may have been
 * made: it counts at its worst case from then on (design: the ledger).
 * Deliberately rows of the ledger like any other, under keys that can be looked up one after the other.
 */
import type { ModelPrice } from '../measure/prices.ts';
import { asId, type EffectKey, type RunId } from '../model/ids.ts';
import type { EffectRecord } from '../model/effect.ts';
import type { RunStore } from '../ports.ts';
import type { Recipe } from './recipe.ts';

export type Caps = Recipe['budget'];

/** Where a run's first answers come from: another run, up to and including a round. */
export interface Origin {
  readonly runId: RunId;
  readonly through: number;
  /** The recipes of the rounds before the run's own begins to hold, in order; the last ends with `through`. */
  readonly eras: readonly Era[];
}

export interface Era {
  readonly through: number;
  readonly recipeText: string;
}

/** Tokens of one call or of many. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
}

/** Billionths of a dollar, and the tokens they paid for. */
export type Paid = readonly [money: number, input: number, output: number];

/**
 * The worst case of a call: its tokens, and what they cost in billionths of a dollar where its price is known; null where it
 * is another model's and is not, absent where it is the run's own model's and is not.
 */
export type Worst = readonly [input: number, output: number, money?: number | null];

/** What counts against the caps beyond the usage that answers reported. */
export interface Charged extends Tokens {
  /** Calls that may have been made and whose answer never came. */
  readonly lost: number;
  /** Answered calls that said nothing of their usage, or not all; their worst case is in the tokens. */
  readonly unknown: number;
  /** Answers taken from the run it branches from: no part of the cost. */
  readonly reused: number;
  /** Answers taken from earlier runs: no part of the cost. */
  readonly cached?: number;
  /** Working time, milliseconds. */
  readonly ms: number;
  /**
   * What answers and lost calls cost at the price each had: a judge's, a batch's, or one that changed since. Tokens that are
   * not in it cost what the run's model costs. Absent in accounts of versions that did not keep it.
   */
  readonly paid?: Paid;
  /** Tokens of other models, of a price nobody knows. Absent in accounts of versions that counted them at the model's own. */
  readonly unpriced?: Tokens;
}

export interface Session {
  readonly engine: string;
  readonly behaviour: number;
  /** Hash of the recipe's text. */
  readonly recipe: string;
  /** Hash of the tasks it works on. */
  readonly data: string;
  readonly model: string;
  readonly price: ModelPrice | null;
  readonly caps: Caps;
  readonly origin: Origin | null;
  /** How often a failed call is asked again; 0 is never. */
  readonly attempts: number;
  /** Whether answers are taken from earlier runs; absent in sessions of versions that took none. */
  readonly cache?: boolean;
  /** Of all sessions before. */
  readonly before: Charged;
}

/** One durable step of a session's account; numbers count its reservations from 0. */
export interface JournalEntry {
  /** Worst case of the calls reserved here, numbered on from the entry before. */
  readonly r: readonly Worst[];
  /** Settled with all their usage known. */
  readonly s: readonly number[];
  /** Settled at the worst case, which is charged on top of what was reported, [number, input, output]; -1 of a batch's. */
  readonly u: readonly (readonly [number, number, number])[];
  /** Given back: never made. */
  readonly x: readonly number[];
  /** Answers taken from the origin since the entry before. */
  readonly c: number;
  /** Answers taken from earlier runs since the entry before. */
  readonly k?: number;
  /** What the answers settled here cost, those of a known price; absent where there are none. */
  readonly p?: Paid;
  /** Tokens settled here of other models, of a price nobody knows, [input, output]; absent where there are none. */
  readonly q?: readonly [number, number];
  /** Working time since the session began, milliseconds. */
  readonly ms: number;
}

export interface Account {
  /** Oldest first; empty for a run that never came to begin one. */
  readonly sessions: readonly Session[];
  /** Of all sessions; open reservations of the last one are in it as lost. */
  readonly charged: Charged;
  /** Reservations of the last session whose answer never came. */
  readonly open: number;
}

export const nothingPaid: Paid = [0, 0, 0];
export const noTokens: Tokens = { input: 0, output: 0 };
export const nothingCharged: Charged = { input: 0, output: 0, lost: 0, unknown: 0, reused: 0, ms: 0 };

export function addPaid([money, input, output]: Paid, more: Paid | undefined): Paid {
  return more === undefined ? [money, input, output] : [money + more[0], input + more[1], output + more[2]];
}

const PAGE = 100;
const at = { arm: 'main', round: 0, step: '' } as const;

const sessionKey = (number: number) => asId<EffectKey>(`session/${number}`);
const entryKey = (session: number, number: number) => asId<EffectKey>(`reservation/${session}/${number}`);

const row = (key: EffectKey, kind: 'session' | 'reservation', value: unknown): EffectRecord => ({
  key,
  kind,
  at,
  result: JSON.stringify(value),
  usage: { input: null, output: null },
  ms: 0,
});

/** `number` counts from 1. */
export function sessionRow(number: number, session: Session): EffectRecord {
  return row(sessionKey(number), 'session', session);
}

/** `number` counts from 1 within its session. */
export function entryRow(session: number, number: number, entry: JournalEntry): EffectRecord {
  return row(entryKey(session, number), 'reservation', entry);
}

/** Reads on until a key is not there: rows are written in their order, and none is ever taken away. */
async function readAll<Row>(
  store: Pick<RunStore, 'findEffects'>,
  runId: RunId,
  keyOf: (number: number) => EffectKey,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const keys = Array.from({ length: PAGE }, (_, index) => keyOf(rows.length + index + 1));
    const found = await store.findEffects(runId, keys);
    for (const key of keys) {
      const record = found.get(key);
      if (record === undefined) return rows;
      rows.push(JSON.parse(record.result) as Row);
    }
  }
}

export async function readAccount(store: Pick<RunStore, 'findEffects'>, runId: RunId): Promise<Account> {
  const sessions = await readAll<Session>(store, runId, sessionKey);
  const last = sessions.at(-1);
  if (last === undefined) return { sessions, charged: nothingCharged, open: 0 };
  const number = sessions.length;
  const entries = await readAll<JournalEntry>(store, runId, (entry) => entryKey(number, entry));
  const free = last.price !== null && last.price.input === 0 && last.price.output === 0;
  return { sessions, ...closed(last.before, entries, free) };
}

/** A lost call of a model that costs nothing is only asked again. */
function closed(
  before: Charged,
  entries: readonly JournalEntry[],
  free: boolean,
): { readonly charged: Charged; readonly open: number } {
  const open = new Map<number, Worst>();
  let paid = addPaid(nothingPaid, before.paid);
  let cached = before.cached ?? 0;
  let next = 0;
  let { input, output, unknown, reused } = before;
  let unpriced = before.unpriced ?? noTokens;
  const leaveUnpriced = (more: number, written: number): void => {
    unpriced = { input: unpriced.input + more, output: unpriced.output + written };
  };
  for (const entry of entries) {
    for (const worst of entry.r) open.set(next++, worst);
    for (const number of [...entry.s, ...entry.x]) open.delete(number);
    for (const [number, more, written] of entry.u) {
      open.delete(number);
      unknown += 1;
      input += more;
      output += written;
    }
    reused += entry.c;
    cached += entry.k ?? 0;
    paid = addPaid(paid, entry.p);
    if (entry.q !== undefined) leaveUnpriced(...entry.q);
  }
  let lost = before.lost;
  for (const [more, written, money] of open.values()) {
    if (money === undefined ? free : money === 0) continue;
    lost += 1;
    input += more;
    output += written;
    if (money === null) leaveUnpriced(more, written);
    else if (money !== undefined) paid = addPaid(paid, [money, more, written]);
  }
  const ms = before.ms + (entries.at(-1)?.ms ?? 0);
  return { charged: { input, output, lost, unknown, reused, cached, ms, paid, unpriced }, open: open.size };
}
