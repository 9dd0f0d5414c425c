/**
 * Owns feeding a model call by call: a few calls are reserved durably ahead of it, so that it never waits for a write, and
 * handed out as it takes them. What was handed out may have been made; what was not is given back.
 * Deliberately settles nothing.
 */
import type { CallSource, ModelRequest, TakenCall } from '../ports.ts';
import type { Budget } from './budget.ts';
import type { Recorder } from './recorder.ts';
import { isStopping, type RunControl } from './services.ts';

/** Fewest calls reserved ahead of a model: a reservation is made durable while these are under way. */
const AHEAD = 32;

export interface PendingCall {
  readonly request: ModelRequest;
}

/** A call that was made, for all the payer knows. */
export interface Made<Call> {
  readonly call: Call;
  /** Of its reservation. */
  readonly number: number;
  readonly takenAt: number;
}

export interface Feeding {
  readonly budget: Budget;
  readonly recorder: Recorder;
  readonly control: RunControl;
  readonly now: () => number;
}

export interface Feeder<Call> {
  readonly source: CallSource;
  /** The call this answers, once; null for one that was not taken. */
  readonly answered: (index: number) => Made<Call> | null;
  /** Reserves more where there is room. */
  readonly fill: () => void;
  /** Gives back what was not taken; what was taken and not answered stays at its worst case. Rejects with a failed reservation. */
  readonly end: () => Promise<void>;
}

/** What is reserved, by the index of the call. */
interface Stock<Call> extends Feeding {
  readonly calls: readonly Call[];
  /** Reserved and not taken, in order. */
  readonly ready: number[];
  /** Of the reservations. */
  readonly numbers: Map<number, number>;
  readonly taken: Map<number, Made<Call>>;
  /** Whoever waits for a call. */
  readonly waiters: ((index: number | null) => void)[];
  reserved: number;
  closed: boolean;
}

export function createFeeder<Call extends PendingCall>(
  feeding: Feeding,
  calls: readonly Call[],
): Feeder<Call> {
  const { budget, recorder, control } = feeding;
  const stock: Stock<Call> = {
    ...{ ...feeding, calls, ready: [], numbers: new Map(), taken: new Map(), waiters: [] },
    ...{ reserved: 0, closed: false },
  };
  const { ready, taken } = stock;
  let reserving: Promise<void> | null = null;
  let failure: Error | null = null;
  const fill = (): void => {
    reserving ??= fillUp(stock)
      .catch((error: unknown) => {
        failure ??= error instanceof Error ? error : new Error('A reservation failed.', { cause: error });
        close(stock);
      })
      .finally(() => {
        reserving = null;
      });
  };
  const source: CallSource = {
    size: calls.length,
    async next() {
      if (isStopping(control)) close(stock);
      if (stock.closed) return null;
      const index = ready.shift();
      if (index !== undefined) {
        const call = take(stock, index);
        if (ready.length < wanted(stock) / 2) fill();
        return call;
      }
      const given = new Promise<number | null>((resolve) => stock.waiters.push(resolve));
      fill();
      const later = await given;
      return later === null ? null : take(stock, later);
    },
    giveBack(index) {
      if (taken.delete(index)) ready.push(index);
    },
    close: () => close(stock),
  };
  return {
    source,
    fill,
    answered(index) {
      const made = taken.get(index) ?? null;
      taken.delete(index);
      return made;
    },
    async end() {
      close(stock);
      await reserving;
      for (const index of ready) budget.release((calls[index] as Call).request);
      recorder.giveBack(ready.map((index) => stock.numbers.get(index) as number));
      for (const { call } of taken.values()) budget.lose(call.request);
      if (failure !== null) throw failure;
    },
  };
}

function take<Call extends PendingCall>(stock: Stock<Call>, index: number): TakenCall {
  const call = stock.calls[index] as Call;
  stock.taken.set(index, { call, number: stock.numbers.get(index) as number, takenAt: stock.now() });
  return { index, request: call.request };
}

function close<Call>(stock: Stock<Call>): void {
  stock.closed = true;
  for (const waiter of stock.waiters.splice(0)) waiter(null);
}

function wanted<Call>({ taken }: Stock<Call>): number {
  return Math.max(AHEAD, Math.ceil(taken.size / 4));
}

async function fillUp<Call extends PendingCall>(stock: Stock<Call>): Promise<void> {
  const { calls, ready, waiters, control, budget } = stock;
  while (
    !stock.closed &&
    stock.reserved < calls.length &&
    ready.length < waiters.length + wanted(stock) / 2
  ) {
    if (isStopping(control) || budget.overdue) close(stock);
    else if (!(await reserveBlock(stock))) return;
  }
  if (stock.reserved === calls.length && ready.length === 0) close(stock);
}

/** False where nothing more fits now. */
async function reserveBlock<Call extends PendingCall>(stock: Stock<Call>): Promise<boolean> {
  const { calls, ready, numbers, taken, waiters, budget, recorder } = stock;
  const from = stock.reserved;
  const block = calls.slice(from, from + waiters.length + wanted(stock));
  const fit = budget.reserve(block.map(({ request }) => request));
  if (fit === 0) {
    // Answers under way may still make room.
    if (taken.size === 0 && ready.length === 0) close(stock);
    return false;
  }
  stock.reserved += fit;
  const first = await recorder.reserve(block.slice(0, fit).map(({ request }) => budget.worst(request)));
  for (let offset = 0; offset < fit; offset++) {
    numbers.set(from + offset, first + offset);
    ready.push(from + offset);
  }
  if (stock.closed) return false;
  while (waiters.length > 0 && ready.length > 0) waiters.shift()?.(ready.shift() as number);
  return true;
}
