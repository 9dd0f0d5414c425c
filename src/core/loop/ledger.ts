/**
 * Owns effects: every model call, training job and reading of annotations is found in the ledger or performed,
 * made durable, and only then used. Resuming a run is running it again over the same ledger; a branch finds what it shares
 * with its origin there, and pays nothing for it.
 * Deliberately below it: transport retries. Deliberately above it: what an answer means.
 */
import { hashOf } from '../measure/hash.ts';
import type { Position } from '../model/event.ts';
import { asId, type EffectKey, type RunId } from '../model/ids.ts';
import type { RunCost } from '../model/cost.ts';
import type { TokenUsage } from '../model/task.ts';
import type { EffectRecord } from '../model/effect.ts';
import type { LanguageModel, ModelAnswer, ModelRequest, StopSignal } from '../ports.ts';
import { ProviderError } from '../ports.ts';
import { type AnswerCache, createAnswerCache, placeOf } from './answerCache.ts';
import { askByBatches, type BatchAsking, type KeyedCall } from './askBatches.ts';
import { behaviour } from './behaviour.ts';
import { atPrice, type Budget, createBudget } from './budget.ts';
import { Halted } from './halt.ts';
import { type Account as RunAccount, type Origin, type Session, sessionRow } from './journal.ts';
import { performCalls } from './performCalls.ts';
import { callKey } from './effectKeys.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { isStopping, type RunControl, type RunServices } from './services.ts';

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
  /** What the run has used so far. */
  readonly meter: () => RunCost;
  /** The same ledger and caps for the calls of another model, such as a judge. Throws Halted for a cap that cannot be kept. */
  of(model: LanguageModel): Ledger;
}

const LOOKUP = 500;
const NO_USAGE: TokenUsage = { input: null, output: null };

export interface LedgerRun {
  readonly id: RunId;
  readonly model: LanguageModel;
  /** Of its random draws; without it nothing is taken from earlier runs. */
  readonly seed?: number;
  readonly facts: Pick<Session, 'recipe' | 'data' | 'caps' | 'origin' | 'attempts' | 'cache'>;
  /** As the sessions before have left it. */
  readonly account: RunAccount;
}

interface Account {
  readonly id: RunId;
  readonly model: LanguageModel;
  readonly caps: Session['caps'];
  readonly origin: Origin | null;
  readonly attempts: number;
  readonly cache: AnswerCache | null;
  readonly services: RunServices;
  readonly budget: Budget;
  readonly recorder: Recorder;
  readonly control: RunControl;
  readonly stop: StopSignal;
}

/** Begins a session of the run and makes that durable. Throws Halted for a cap that cannot be kept, StoreError. */
export async function openLedger(
  { id, model, seed, facts, account: past }: LedgerRun,
  services: RunServices,
  control: RunControl,
): Promise<Ledger> {
  const { store, clock, version = '' } = services;
  const price = model.price ?? null;
  const spent = await store.spent(id);
  const budget = createBudget(facts.caps, { spent, charged: past.charged }, clock, price);
  const session = past.sessions.length + 1;
  const began: Session = {
    ...facts,
    engine: version,
    behaviour,
    model: model.name,
    price,
    before: past.charged,
  };
  await store.settleEffects(id, [sessionRow(session, began)]);
  const recorder = createRecorder({ runId: id, session, store, clock });
  const stop = {
    get aborted() {
      return isStopping(control) || budget.overdue;
    },
  };
  const { origin, attempts } = facts;
  const { earlierRuns } = services;
  const cache =
    facts.cache !== true || seed === undefined || earlierRuns === undefined
      ? null
      : createAnswerCache({ id, seed, store, earlierRuns });
  const run = { id, model, caps: facts.caps, origin, attempts, cache };
  return ledgerOver({ ...run, services, budget, recorder, control, stop });
}

function ledgerOver(account: Account): Ledger {
  return {
    ask: (place, calls, onSettled) => askAll(account, place, calls, onSettled),
    once: (kind, place, identity, perform) => performOnce(account, kind, place, identity, perform),
    meter: () => account.budget.meter(),
    of: (model) => {
      const price = model.price ?? null;
      if (price === null && account.caps.usd !== undefined && account.caps.tokens === undefined)
        throw new Halted(
          'budget',
          `The price of ${model.name} is not known, so a budget in money cannot be kept; add a budget in tokens, or give the price.`,
        );
      return ledgerOver({ ...account, model, budget: atPrice(account.budget, price) });
    },
  };
}

/** A failed call is asked again as often as the run says, each time as an effect of its own. */
async function askAll(
  account: Account,
  place: EffectPlace,
  calls: readonly Call[],
  onSettled: OnSettled,
): Promise<readonly ModelAnswer[]> {
  const final = new Map<number, ModelAnswer>();
  let open: readonly number[] = calls.map((_, index) => index);
  for (let again = 0; again <= account.attempts && open.length > 0; again++) {
    const places = open;
    const sure = final.size;
    const asked = places.map((index) => calls[index] as Call);
    const answers = await askOnce(account, place, asked, again, (done, settled, note) => {
      const placed = settled.map(({ index, answer }) => ({ index: places[index] ?? 0, answer }));
      onSettled(Math.min(calls.length, sure + done), placed, note);
    });
    answers.forEach((answer, index) => final.set(places[index] ?? 0, answer));
    if (again === account.attempts) break;
    open = places.filter((index) => final.get(index)?.ok === false);
    for (const index of open) final.delete(index);
  }
  return calls.map((_, index) => final.get(index) ?? { ok: false, reason: 'the provider gave no answer' });
}

async function askOnce(
  account: Account,
  place: EffectPlace,
  calls: readonly Call[],
  again: number,
  onSettled: OnSettled,
): Promise<readonly ModelAnswer[]> {
  const { stop, model, services, recorder, budget, control } = account;
  const keys = calls.map((call) => callKey(place, call, again, model.name));
  const answers = await findAnswers(account, place, keys);
  await takeCached(account, place, unanswered(calls, keys, answers), answers);
  let waiting = unanswered(calls, keys, answers);
  onSettled(calls.length - waiting.length, []);
  if (place.batch === true && waiting.length > 0) {
    await askInBatches(account, place, { calls: unanswered(calls, keys, new Map()), answers, onSettled });
    waiting = unanswered(calls, keys, answers);
  }
  if (waiting.length > 0) {
    if (stop.aborted) throw halted(account);
    const teller = gather<Answered>((settled) => onSettled(Math.min(calls.length, answers.size), settled));
    const complete = await performCalls(
      {
        model,
        budget,
        recorder,
        control,
        now: () => services.clock.monotonic(),
        recordOf: (call, answer, ms) => effectOf(place, call, answer, ms),
        noteOf: noterOf(account, place),
        onDurable: (call, answer) => {
          answers.set(call.key, answer);
          teller({ index: call.index, answer });
        },
      },
      waiting,
    );
    if (!complete) throw halted(account);
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
  const { id, model, services, budget, recorder, stop, control } = account;
  const { calls, answers, onSettled } = asked;
  const batches = model.batches ?? null;
  if (batches === null)
    throw new ProviderError(
      `${model.name} answers no batches; take mode: batch and batch: true out of the recipe.`,
    );
  const asking: BatchAsking = {
    runId: id,
    batches,
    services,
    budget,
    recorder,
    stop,
    place,
    noteOf: noterOf(account, place),
    answers,
    price: model.price ?? null,
    forGood: () => isStopping(control) && control.reason === 'stop',
    halted: () => halted(account),
    onSettled: (settled, remote) =>
      onSettled(Math.min(calls.length, answers.size + remote), settled, "answered by the provider's batch"),
  };
  await askByBatches(asking, calls);
}

/** Later runs find an answer by its request where this one looks for its answers in earlier ones. */
function noterOf({ cache, model }: Account, { at }: EffectPlace) {
  return (call: KeyedCall, answer: ModelAnswer): EffectRecord | null =>
    cache === null ? null : placeOf(model, call, answer, at);
}

/** What comes within one turn of the event loop is told together. */
function gather<Item>(tell: (items: readonly Item[]) => void): (item: Item) => void {
  let items: Item[] = [];
  return (item) => {
    items.push(item);
    if (items.length > 1) return;
    void Promise.resolve().then(() => {
      const all = items;
      items = [];
      tell(all);
    });
  };
}

/** Calls without an answer yet, equal ones once. */
function unanswered(
  calls: readonly Call[],
  keys: readonly EffectKey[],
  answers: ReadonlyMap<EffectKey, ModelAnswer>,
): KeyedCall[] {
  const asked = new Set<EffectKey>(answers.keys());
  return calls.flatMap(({ request, attempt = 0 }, index) => {
    const key = keys[index];
    if (key === undefined || asked.has(key)) return [];
    asked.add(key);
    return [{ key, request, index, attempt }];
  });
}

async function performOnce<Result>(
  account: Account,
  kind: 'training' | 'annotations',
  place: EffectPlace,
  identity: string,
  perform: () => Promise<Result | null>,
): Promise<Result> {
  const { id, model, services, stop } = account;
  const key = asId<EffectKey>(hashOf([kind, place.step, place.round, identity, model.name]));
  const found = (await findRecords(account, place, [key])).get(key);
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
  await services.store.settleEffects(id, [record]);
  return result;
}

function halted({ control, budget }: Account): Halted {
  if (isStopping(control) && control.reason === 'stop')
    return new Halted('stopped', 'Stopped by you; what it made is kept.');
  if (isStopping(control)) return new Halted('paused', 'Paused; every settled answer is kept.');
  return new Halted('budget', budget.reason());
}

function effectOf(place: EffectPlace, call: KeyedCall, answer: ModelAnswer, ms: number): EffectRecord {
  const usage = answer.ok ? answer.usage : NO_USAGE;
  return { key: call.key, kind: 'model', at: place.at, result: JSON.stringify(answer), usage, ms };
}

async function findAnswers(
  account: Account,
  place: EffectPlace,
  keys: readonly EffectKey[],
): Promise<Map<EffectKey, ModelAnswer>> {
  const answers = new Map<EffectKey, ModelAnswer>();
  for (let start = 0; start < keys.length; start += LOOKUP) {
    const found = await findRecords(account, place, keys.slice(start, start + LOOKUP));
    for (const [key, record] of found) answers.set(key, JSON.parse(record.result) as ModelAnswer);
  }
  return answers;
}

/** What earlier runs paid for is made this run's own before it is used: it is replayed and resumed without them. */
async function takeCached(
  { model, cache, recorder, budget }: Account,
  place: EffectPlace,
  calls: readonly KeyedCall[],
  answers: Map<EffectKey, ModelAnswer>,
): Promise<void> {
  const found = (await cache?.find(model, calls)) ?? [];
  if (found.length === 0) return;
  const asked = new Map(calls.map((call) => [call.key, call]));
  const notes = found.flatMap(({ key, result }) => {
    const call = asked.get(key);
    const answer = JSON.parse(result) as ModelAnswer;
    return (call === undefined ? null : placeOf(model, call, answer, place.at)) ?? [];
  });
  const copies = found.map((record) => ownCopy(record, place.at));
  recorder.adopt([...copies, ...notes], found.length, 'cache');
  await recorder.flush();
  budget.reuse(found.length, 'cache');
  for (const { key, result } of found) answers.set(key, JSON.parse(result) as ModelAnswer);
}

/** In this run's ledger, else in its origin's, whose records are made its own: a run needs no other to be replayed. */
async function findRecords(
  { id, origin, services, recorder, budget }: Account,
  place: EffectPlace,
  keys: readonly EffectKey[],
): Promise<ReadonlyMap<EffectKey, EffectRecord>> {
  const own = await services.store.findEffects(id, keys);
  const missing = keys.filter((key) => !own.has(key));
  if (origin === null || place.round > origin.through || missing.length === 0) return own;
  const theirs = await services.store.findEffects(origin.runId, missing);
  if (theirs.size === 0) return own;
  const copies = [...theirs.values()].map((record) => ownCopy(record, place.at));
  const answers = copies.filter(({ kind }) => kind === 'reused').length;
  recorder.adopt(copies, answers, 'origin');
  await recorder.flush();
  budget.reuse(answers, 'origin');
  return new Map([...own, ...theirs]);
}

/** Whoever paid for it, this run does not. */
function ownCopy(record: EffectRecord, at: Position): EffectRecord {
  const kind = record.kind === 'model' ? 'reused' : record.kind;
  return { ...record, kind, at, usage: { input: 0, output: 0 }, ms: 0 };
}
