/**
 * Owns making calls that no ledger has an answer to: reserved durably, made as the model has room for them, settled durably,
 * then handed on. The model is fed call by call where it can take them so (LanguageModel.answer), in waves where it cannot.
 * Deliberately knows no keys and no meaning of an answer.
 */
import type { TokenUsage } from '../model/task.ts';
import type { EffectRecord } from '../model/effect.ts';
import type { LanguageModel, ModelAnswer } from '../ports.ts';
import { createFeeder, type Feeding, type Made, type PendingCall } from './callFeeder.ts';
import { isStopping } from './services.ts';

/** Calls handed at once to a model that takes no source; it bounds what a stop can leave unasked, not concurrency. */
const WAVE = 1024;
const NO_USAGE: TokenUsage = { input: null, output: null };

export interface Performing<Call extends PendingCall> extends Feeding {
  readonly model: LanguageModel;
  /** What is made durable of an answer; `ms` since its call was taken. */
  readonly recordOf: (call: Call, answer: ModelAnswer, ms: number) => EffectRecord;
  /** What is made durable beside it; null for nothing. */
  readonly noteOf: (call: Call, answer: ModelAnswer) => EffectRecord | null;
  /** After the answer is durable. */
  readonly onDurable: (call: Call, answer: ModelAnswer) => void;
}

/** True when all calls were answered, false when a cap or a person stopped it before. Throws what the model or store throws. */
export async function performCalls<Call extends PendingCall>(
  performing: Performing<Call>,
  calls: readonly Call[],
): Promise<boolean> {
  return performing.model.answer === undefined ? inWaves(performing, calls) : fed(performing, calls);
}

function settle<Call extends PendingCall>(
  performing: Performing<Call>,
  { call, number, takenAt }: Made<Call>,
  answer: ModelAnswer,
): void {
  const { budget, recorder, now, recordOf, noteOf, onDurable } = performing;
  const usage = answer.ok ? answer.usage : NO_USAGE;
  const { beyond, paid, unpriced } = budget.settle(call.request, usage);
  const known = usage.input !== null && usage.output !== null;
  const record = recordOf(call, answer, now() - takenAt);
  const note = noteOf(call, answer);
  const rows = note === null ? [record] : [record, note];
  recorder.settle(number, rows, { beyond: known ? null : beyond, paid, unpriced }, () =>
    onDurable(call, answer),
  );
}

async function inWaves<Call extends PendingCall>(
  performing: Performing<Call>,
  calls: readonly Call[],
): Promise<boolean> {
  const { model, budget, recorder, control, now } = performing;
  const stop = {
    get aborted() {
      return isStopping(control) || budget.overdue || recorder.broken;
    },
  };
  for (let start = 0; start < calls.length; ) {
    if (stop.aborted) return false;
    const fit = budget.reserve(calls.slice(start, start + WAVE).map(({ request }) => request));
    if (fit === 0) return false;
    const wave = calls.slice(start, start + fit);
    const first = await recorder.reserve(wave.map(({ request }) => budget.worst(request)));
    const takenAt = now();
    const answered = new Set<number>();
    try {
      const requests = wave.map(({ request }) => request);
      for await (const { index, answer } of model.generate(requests, stop)) {
        const call = wave[index];
        if (call === undefined || answered.has(index)) continue;
        answered.add(index);
        settle(performing, { call, number: first + index, takenAt }, answer);
      }
    } finally {
      const left = wave.flatMap((_, index) => (answered.has(index) ? [] : [index]));
      for (const index of left) budget.release((wave[index] as Call).request);
      recorder.giveBack(left.map((index) => first + index));
      await recorder.flush();
    }
    if (answered.size < fit) return false;
    start += fit;
  }
  return true;
}

async function fed<Call extends PendingCall>(
  performing: Performing<Call>,
  calls: readonly Call[],
): Promise<boolean> {
  const { model, budget, recorder, control } = performing;
  const stop = {
    get aborted() {
      return control.aborted || budget.overdue || recorder.broken;
    },
  };
  const feeder = createFeeder(performing, calls);
  let answered = 0;
  try {
    for await (const { index, answer } of model.answer?.(feeder.source, stop) ?? []) {
      const made = feeder.answered(index);
      if (made === null) continue;
      answered += 1;
      settle(performing, made, answer);
      feeder.fill();
    }
  } finally {
    await feeder.end();
    await recorder.flush();
  }
  return answered === calls.length;
}
