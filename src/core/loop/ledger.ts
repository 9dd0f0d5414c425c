/**
 * Owns effects: every model call, training job and reading of annotations is found in the ledger or performed,
 * made durable, and only then used. Resuming a run is running it again over the same ledger.
 * Deliberately below it: transport retries. Deliberately above it: what an answer means.
 */
import { hashOf } from '../measure/hash.ts';
import type { Position } from '../model/event.ts';
import { asId, type EffectKey, type RunId } from '../model/ids.ts';
import type { TokenUsage } from '../model/task.ts';
import type { EffectRecord, LanguageModel, ModelAnswer, ModelRequest, StopSignal } from '../ports.ts';
import { ProviderError } from '../ports.ts';
import { askByBatches, type BatchAsking, type KeyedCall } from './askBatches.ts';
import type { Budget } from './budget.ts';
import { Halted } from './halt.ts';
import type { RunControl, RunServices } from './services.ts';
import { createSettler } from './settler.ts';

export interface Call {
  readonly item: string;
  readonly sample: number;
  readonly request: ModelRequest;
  /** How often an operator has asked this before and could not use the answer; 0 when absent. */
  readonly attempt?: number;
}

/** Where an effect belongs. The arm is no part of it: what loop and control truly share is asked once. */
export interface EffectPlace {
  readonly step: string;
  /** 0 for what does not depend on the round, such as a fixed suite. */
  readonly round: number;
  /** Where it happened first, for the audit. */
  readonly at: Position;
  /** Ask by the provider's batches; how an answer was asked for is no part of its key. */
  readonly batch?: boolean;
}

interface Answered {
  readonly index: number;
  readonly answer: ModelAnswer;
}

/** How many are answered, those that just became durable by the index of their call, and who answers where it is not the model at once. */
export type OnSettled = (done: number, settled: readonly Answered[], note?: string) => void;

export interface Ledger {
  /** Answers in the order of the calls. Throws Halted, ProviderError or StoreError; what was settled before stays settled. */
  ask(place: EffectPlace, calls: readonly Call[], onSettled: OnSettled): Promise<readonly ModelAnswer[]>;
  /** An effect that is no model call; `perform` gives JSON-able data, or null when it was stopped. */
  once<Result>(
    kind: 'training' | 'annotations',
    place: EffectPlace,
    identity: string,
    perform: () => Promise<Result | null>,
  ): Promise<Result>;
}

/** Calls handed to a provider at once; it bounds what a stop can leave unasked, not concurrency. */
const WAVE = 1024;
const LOOKUP = 500;
const NO_USAGE: TokenUsage = { input: null, output: null };

interface Account {
  readonly runId: RunId;
  readonly model: LanguageModel;
  readonly services: RunServices;
  readonly budget: Budget;
  readonly control: RunControl;
  readonly stop: StopSignal;
}

export function createLedger(
  run: { readonly id: RunId; readonly model: LanguageModel },
  services: RunServices,
  budget: Budget,
  control: RunControl,
): Ledger {
  const stop = {
    get aborted() {
      return control.aborted || budget.overdue;
    },
  };
  const account: Account = { runId: run.id, model: run.model, services, budget, control, stop };
  return {
    ask: (place, calls, onSettled) => askAll(account, place, calls, onSettled),
    once: (kind, place, identity, perform) => performOnce(account, kind, place, identity, perform),
  };
}

async function askAll(
  account: Account,
  place: EffectPlace,
  calls: readonly Call[],
  onSettled: OnSettled,
): Promise<readonly ModelAnswer[]> {
  const { budget, stop, model } = account;
  const keys = calls.map((call) => callKey(place, call, model.name));
  const answers = await findAnswers(account, keys);
  let waiting = unanswered(calls, keys, answers);
  onSettled(calls.length - waiting.length, []);
  if (place.batch === true && waiting.length > 0) {
    await askInBatches(account, place, { calls: unanswered(calls, keys, new Map()), answers, onSettled });
    waiting = unanswered(calls, keys, answers);
  }
  while (waiting.length > 0) {
    if (stop.aborted) throw halted(account);
    const fit = budget.reserve(waiting.slice(0, WAVE).map(({ request }) => request));
    if (fit === 0) throw halted(account);
    const wave = waiting.slice(0, fit);
    const count = await performWave(account, place, wave, (batch) => {
      const settled = batch.flatMap(({ index, answer }) => {
        const call = wave[index];
        if (call === undefined) return [];
        answers.set(call.key, answer);
        return [{ index: call.index, answer }];
      });
      onSettled(Math.min(calls.length, answers.size), settled);
    });
    if (count < fit) throw halted(account);
    waiting = waiting.slice(fit);
  }
  return keys.map((key) => answers.get(key) ?? { ok: false, reason: 'the provider gave no answer' });
}

async function askInBatches(
  account: Account,
  place: EffectPlace,
  asked: {
    readonly calls: readonly KeyedCall[];
    readonly answers: Map<EffectKey, ModelAnswer>;
    readonly onSettled: OnSettled;
  },
): Promise<void> {
  const { runId, model, services, budget, stop, control } = account;
  const { calls, answers, onSettled } = asked;
  const batches = model.batches ?? null;
  if (batches === null)
    throw new ProviderError(
      `${model.name} answers no batches; take mode: batch and batch: true out of the recipe.`,
    );
  const asking: BatchAsking = {
    runId,
    batches,
    services,
    budget,
    stop,
    place,
    answers,
    price: model.price ?? null,
    forGood: () => control.aborted && control.reason === 'stop',
    halted: () => halted(account),
    onSettled: (settled, remote) =>
      onSettled(Math.min(calls.length, answers.size + remote), settled, "answered by the provider's batch"),
  };
  await askByBatches(asking, calls);
}

/** Calls without an answer yet, equal ones once. */
function unanswered(
  calls: readonly Call[],
  keys: readonly EffectKey[],
  answers: ReadonlyMap<EffectKey, ModelAnswer>,
): KeyedCall[] {
  const asked = new Set<EffectKey>(answers.keys());
  return calls.flatMap(({ request }, index) => {
    const key = keys[index];
    if (key === undefined || asked.has(key)) return [];
    asked.add(key);
    return [{ key, request, index }];
  });
}

/** Performs one wave of reserved calls, settling as answers arrive. Returns how many were answered; those are durable. */
async function performWave(
  account: Account,
  place: EffectPlace,
  wave: readonly KeyedCall[],
  onSettled: (batch: readonly Answered[]) => void,
): Promise<number> {
  const { runId, model, services, budget, stop } = account;
  const started = services.clock.monotonic();
  const settler = createSettler<Answered>(async (batch) => {
    const ms = services.clock.monotonic() - started;
    const records = batch.map(({ index, answer }) => effectOf(place, wave[index], answer, ms));
    await services.store.settleEffects(runId, records);
    onSettled(batch);
  });
  const answered = new Set<number>();
  const requests = wave.map(({ request }) => request);
  try {
    for await (const item of model.generate(requests, stop)) {
      const request = requests[item.index];
      if (request === undefined || answered.has(item.index)) continue;
      answered.add(item.index);
      budget.settle(request, item.answer.ok ? item.answer.usage : NO_USAGE);
      settler.add(item);
    }
  } finally {
    requests.forEach((request, index) => {
      if (!answered.has(index)) budget.release(request);
    });
    await settler.finish();
  }
  return answered.size;
}

async function performOnce<Result>(
  account: Account,
  kind: 'training' | 'annotations',
  place: EffectPlace,
  identity: string,
  perform: () => Promise<Result | null>,
): Promise<Result> {
  const { runId, model, services, stop } = account;
  const key = asId<EffectKey>(hashOf([kind, place.step, place.round, identity, model.name]));
  const found = (await services.store.findEffects(runId, [key])).get(key);
  if (found !== undefined) return JSON.parse(found.result) as Result;
  if (stop.aborted) throw halted(account);
  const started = services.clock.monotonic();
  const result = await perform();
  if (result === null) throw halted(account);
  const ms = services.clock.monotonic() - started;
  const record: EffectRecord = {
    key,
    kind,
    at: place.at,
    result: JSON.stringify(result),
    usage: NO_USAGE,
    ms,
  };
  await services.store.settleEffects(runId, [record]);
  return result;
}

function halted({ control, budget }: Account): Halted {
  if (control.aborted && control.reason === 'stop')
    return new Halted('stopped', 'Stopped by you; what it made is kept.');
  if (control.aborted) return new Halted('paused', 'Paused; every settled answer is kept.');
  return new Halted('budget', budget.reason());
}

/** Everything that can change an answer (design: the ledger). Members of a request that are absent leave keys as they were. */
export function callKey(
  place: EffectPlace,
  { item, sample, request, attempt = 0 }: Call,
  model: string,
): EffectKey {
  const { messages, temperature, maxTokens, seed, weights, responseFormat, logprobs } = request;
  const asked = messages.map(({ role, content }) => [role, content]);
  const { name, schema } = responseFormat ?? { name: null, schema: null };
  const extras =
    responseFormat === undefined && logprobs === undefined ? [] : [name, schema, logprobs ?? null];
  const body = [asked, temperature, maxTokens, seed, weights, ...extras];
  return asId<EffectKey>(hashOf(['model', place.step, place.round, item, sample, attempt, body, model]));
}

function effectOf(
  place: EffectPlace,
  call: KeyedCall | undefined,
  answer: ModelAnswer,
  ms: number,
): EffectRecord {
  if (call === undefined) throw new RangeError('A provider answered a call it was not given.');
  const usage = answer.ok ? answer.usage : NO_USAGE;
  return { key: call.key, kind: 'model', at: place.at, result: JSON.stringify(answer), usage, ms };
}

async function findAnswers(
  { services, runId }: Account,
  keys: readonly EffectKey[],
): Promise<Map<EffectKey, ModelAnswer>> {
  const answers = new Map<EffectKey, ModelAnswer>();
  for (let start = 0; start < keys.length; start += LOOKUP) {
    const found = await services.store.findEffects(runId, keys.slice(start, start + LOOKUP));
    for (const [key, record] of found) answers.set(key, JSON.parse(record.result) as ModelAnswer);
  }
  return answers;
}
