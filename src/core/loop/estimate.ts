/**
 * Owns what a run is expected to use: the recipe is rehearsed with a model that answers at once and for nothing, once always
 * right, once always wrong and once better with each candidate, and its calls are counted where they are made; what a call uses is taken from what the same
 * model really used before. So whatever an operator asks is counted, with no second description of it to go stale.
 * Deliberately rehearses a few rounds only and goes on in a straight line.
 */
import type { ModelPrice } from '../measure/prices.ts';
import { hash32, hashOf } from '../measure/hash.ts';
import type { StepUsage } from '../model/effect.ts';
import type { Range, RunEstimate } from '../model/estimate.ts';
import { asId, type ContentHash, type RunId } from '../model/ids.ts';
import type { Task } from '../model/task.ts';
import type { Embedder, LanguageModel, ModelRequest, TaskFiles, Trainer } from '../ports.ts';
import { worstCase } from './budget.ts';
import { embeddingModel } from './embed.ts';
import { turnWheel } from './engine.ts';
import { Halted } from './halt.ts';
import { nothingCharged } from './journal.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { operatorSteps, type Recipe } from './recipe.ts';
import { nowhere, scratchStore } from './scratchStore.ts';
import { rehearsedReply, SET_ANSWER } from './rehearsedReply.ts';
import type { RunServices } from './services.ts';
import { loadTaskSets } from './taskSets.ts';

/** What a model used in earlier runs: by operator, and the pace of whole runs. */
export interface UsageHistory {
  readonly operators: ReadonlyMap<string, Omit<StepUsage, 'step'>>;
  /** Working milliseconds of those runs for each call, training and all; null where unknown. */
  readonly msPerCall: number | null;
}

/** Calls of a rehearsal by operator. */
interface Counted {
  readonly calls: number;
  /** UTF-8 bytes of the requests, and the longest answers allowed. */
  readonly bytes: number;
  readonly limit: number;
}

/** By who asks: a provider as the recipe names it, and the operator. */
type Counts = ReadonlyMap<string, Counted>;
interface Asker {
  readonly provider: string;
  readonly operator: string;
}
const askerName = ({ provider, operator }: Asker): string => JSON.stringify([provider, operator]);
function askerOf(name: string): Asker {
  const [provider = '', operator = ''] = JSON.parse(name) as readonly string[];
  return { provider, operator };
}

/** How a rehearsed run goes: what is kept decides what is asked next. */
const courses = ['right', 'wrong', 'better'] as const;
type Course = (typeof courses)[number] | 'sometimes';

/** What is solved sometimes matters to those recipes alone that choose tasks by it. */
function coursesOf(recipe: Recipe): readonly Course[] {
  const banded = operatorSteps(recipe.steps).some(
    (step) => step.operator === 'select' && step.with.over === 'tasks' && step.with.policy === 'band',
  );
  return banded ? [...courses, 'sometimes'] : courses;
}

const rehearsedRounds = 2;
/** Fewest measured answers that narrow a range as far as it goes. */
const enough = 200;

/** `priceOf` is asked for each other provider that the recipe names and the rehearsal asks. Throws DataError when the data cannot be used. */
export async function estimateRun(
  recipe: Recipe,
  files: TaskFiles,
  price: ModelPrice | null,
  history: UsageHistory,
  priceOf: (provider: string) => Promise<ModelPrice | null> = async () => null,
): Promise<RunEstimate> {
  const rehearsed: Counts[] = [];
  for (const course of coursesOf(recipe)) rehearsed.push(await rehearse(recipe, files, course));
  const askers = [...new Set(rehearsed.flatMap((counts) => [...counts.keys()]))];
  const each = askers.map((asker) => {
    const counts = rehearsed.map((counted) => counted.get(asker) ?? none);
    return usageOf(counts, history.operators.get(askerOf(asker).operator) ?? null);
  });
  const rates = await Promise.all(
    askers.map(async (asker) => {
      const { provider } = askerOf(asker);
      return provider === recipe.model ? price : await priceOf(provider);
    }),
  );
  const sum = (pick: (usage: Usage) => Range): Range =>
    each
      .map(pick)
      .reduce((total, part) => ({ low: total.low + part.low, high: total.high + part.high }), zero);
  const calls = sum((usage) => usage.calls);
  const inputTokens = sum((usage) => usage.input);
  const outputTokens = sum((usage) => usage.output);
  // One price that is not known makes the sum unknown.
  const known = rates.filter((rate) => rate !== null);
  const cost = (end: 'low' | 'high') =>
    each.reduce((total, { input, output }, index) => {
      const rate = rates[index];
      return total + ((rate?.input ?? 0) * input[end] + (rate?.output ?? 0) * output[end]) / 1e6;
    }, 0);
  const usd = price === null || known.length < rates.length ? null : { low: cost('low'), high: cost('high') };
  const { msPerCall } = history;
  const ms =
    msPerCall === null ? null : { low: (calls.low * msPerCall) / 2, high: calls.high * msPerCall * 2 };
  const measured = [...history.operators.values()].reduce((total, { calls: known }) => total + known, 0);
  const estimate = { calls, inputTokens, outputTokens, usd, ms, measured };
  return { ...estimate, cap: capMet(recipe.budget, estimate) };
}

/** Share by which a run may ask more or less than any course that was rehearsed. */
const slack = 0.15;

const none: Counted = { calls: 0, bytes: 0, limit: 0 };
const zero: Range = { low: 0, high: 0 };

interface Usage {
  readonly calls: Range;
  readonly input: Range;
  readonly output: Range;
}

/** The mean of many calls is near the mean measured; how near grows with how many were measured. */
function usageOf(counts: readonly Counted[], known: Omit<StepUsage, 'step'> | null): Usage {
  const ends = (pick: (count: Counted) => number): Range => ({
    low: Math.min(...counts.map(pick)),
    high: Math.max(...counts.map(pick)),
  });
  const counted = ends((count) => count.calls);
  // Where what is kept changes what is asked, the courses that were rehearsed are not all there are.
  const calls = { low: counted.low * (1 - slack), high: counted.high * (1 + slack) };
  if (known === null || known.calls === 0) {
    // A token is seldom more than six bytes and never less than one; an answer may be of any length allowed.
    const bytes = ends((count) => count.bytes);
    const limit = ends((count) => count.limit);
    return {
      calls,
      input: { low: bytes.low / 6, high: bytes.high },
      output: { low: calls.low, high: limit.high },
    };
  }
  const doubt = 0.15 + 0.85 / (1 + known.calls / (enough / 20));
  const around = (mean: number): Range => ({
    low: calls.low * mean * Math.max(0, 1 - doubt),
    high: calls.high * mean * (1 + doubt),
  });
  const mean = known.output / known.calls;
  const spread = Math.sqrt(Math.max(0, known.outputSquares / known.calls - mean ** 2) / known.calls);
  const output = around(mean);
  return {
    calls,
    input: around(known.input / known.calls),
    output: { low: output.low, high: output.high + 2 * spread * calls.high },
  };
}

function capMet(caps: Recipe['budget'], estimate: Omit<RunEstimate, 'cap'>): string | null {
  const tokens = estimate.inputTokens.high + estimate.outputTokens.high;
  if (caps.calls !== undefined && estimate.calls.high > caps.calls)
    return `May be stopped by its budget of ${caps.calls} calls.`;
  if (caps.tokens !== undefined && tokens > caps.tokens)
    return `May be stopped by its budget of ${caps.tokens} tokens.`;
  if (caps.usd !== undefined && estimate.usd !== null && estimate.usd.high > caps.usd)
    return `May be stopped by its budget of $${caps.usd}.`;
  if (caps.minutes !== undefined && estimate.ms !== null && estimate.ms.high > caps.minutes * 60_000)
    return `May be stopped by its budget of ${caps.minutes} minutes.`;
  return null;
}

/** The calls of the whole run, from those of its first rounds. */
async function rehearse(recipe: Recipe, files: TaskFiles, course: Course): Promise<Counts> {
  if (recipe.rounds <= rehearsedRounds) return countCalls(recipe, files, course, recipe.rounds);
  const short = await countCalls(recipe, files, course, rehearsedRounds - 1);
  const long = await countCalls(recipe, files, course, rehearsedRounds);
  const more = recipe.rounds - rehearsedRounds;
  return new Map(
    [...long].map(([operator, count]) => {
      const before = short.get(operator) ?? none;
      const goOn = (pick: (counted: Counted) => number) => pick(count) + more * (pick(count) - pick(before));
      const counted: Counted = {
        calls: goOn(({ calls }) => calls),
        bytes: goOn(({ bytes }) => bytes),
        limit: goOn(({ limit }) => limit),
      };
      return [operator, counted];
    }),
  );
}

async function countCalls(recipe: Recipe, files: TaskFiles, course: Course, rounds: number): Promise<Counts> {
  const counts = new Map<string, Counted>();
  const shortened: Recipe = { ...recipe, rounds, budget: {} };
  const sets = await loadTaskSets(shortened, recipe.seed, files);
  const references = new Map<string, string>();
  const learn = (tasks: readonly Task[]) => {
    for (const { input, reference } of tasks)
      if (typeof reference === 'string') references.set(input, reference);
  };
  learn(sets.dev);
  learn(sets.test);
  learn(sets.regression);
  learn(sets.canary);
  for (let round = 1; round <= rounds; round++) learn(sets.train(round));
  const isRight = judgeOf(course);
  // A task stands alone, or between blank lines beside its context and what is asked of the answer.
  const referenceIn = (asked: string) =>
    references.get(asked) ?? asked.split('\n\n').flatMap((part) => references.get(part) ?? [])[0];
  const model = actor(recipe, (request, lead) => {
    const asked = request.messages.at(-1)?.content ?? '';
    const right = isRight(request, asked);
    const formed = rehearsedReply(request, right);
    return formed ?? `${lead}${right ? (referenceIn(asked) ?? SET_ANSWER) : 'no'}`;
  });
  const services = stage(model, files);
  const id = asId<RunId>('rehearsal');
  const facts = { recipe: '', data: '', caps: {}, origin: null, attempts: 0 };
  const account = { sessions: [], charged: nothingCharged, open: 0 };
  const control = { aborted: false, reason: null };
  const ledger = await openLedger({ id, model, facts, account }, services, control);
  const operatorOf = new Map(
    operatorSteps(recipe.steps).map(({ path, operator }) => [path, operator as string]),
  );
  const counting = (over: Ledger, provider: string): Ledger => ({
    ...over,
    once: (kind, place, identity, perform) =>
      over.once(kind, place, identity, () => perform().catch(unattended<never>)),
    async ask(place, calls, onSettled) {
      const before = ledger.meter().calls;
      const answers = await over.ask(place, calls, onSettled);
      const asked = ledger.meter().calls - before;
      const operator = operatorOf.get(place.at.step.split('#', 1)[0] ?? '') ?? 'test';
      const share = calls.length === 0 ? 0 : asked / calls.length;
      const worst = calls.map(({ request }) => worstCase(request));
      const asker = askerName({ provider, operator });
      const old = counts.get(asker) ?? none;
      counts.set(asker, {
        calls: old.calls + asked,
        bytes: old.bytes + share * worst.reduce((sum, { input }) => sum + input, 0),
        limit: old.limit + share * worst.reduce((sum, { output }) => sum + output, 0),
      });
      return answers;
    },
  });
  const ledgers = {
    ledger: counting(ledger, recipe.model),
    ledgerOf: async (provider: string) => counting(ledger, provider),
    embeddingsOf: async (provider: string) => counting(ledger.of(embeddingModel(embedder)), provider),
  };
  const run = { id, recipe: shortened, seed: recipe.seed, model, sets, services, control, eras: [] };
  await turnWheel({ ...run, ...ledgers });
  return counts;
}

/** Nobody is there: nothing was judged, and what needs a yes goes on. */
function unattended<Result>(error: unknown): Result {
  if (error instanceof Halted && error.kind === 'paused') return [] as unknown as Result;
  throw error;
}

/** Whether the rehearsed model is right: with each new candidate on more of the tasks, where it gets better. */
function judgeOf(course: Course): (request: ModelRequest, asked: string) => boolean {
  const seen = new Map<string, number>();
  return ({ messages, weights, seed }, asked) => {
    if (course === 'sometimes') return hash32(['rehearsed', asked, seed]) % 2 === 0;
    if (course !== 'better') return course === 'right';
    const candidate = `${weights ?? ''} ${messages[0]?.content === asked ? '' : (messages[0]?.content ?? '')}`;
    const rank = seen.get(candidate) ?? seen.size;
    seen.set(candidate, rank);
    return hash32(['rehearsed', asked]) % 20 <= 1 + 6 * rank;
  };
}

/** Answers at once; what it is asked is all that matters. */
function actor(
  { objective, model }: Recipe,
  answer: (request: ModelRequest, lead: string) => string,
): LanguageModel {
  const { answer: rule } = objective;
  const lead = typeof rule === 'object' && 'after' in rule ? rule.after : '';
  return {
    name: model,
    price: { input: 0, output: 0 },
    async *generate(requests) {
      for (const [index, request] of requests.entries()) {
        const text = answer(request, lead);
        const usage = { input: 0, output: 0 };
        yield { index, answer: { ok: true, text, finish: 'stop', usage, model, requestId: null } };
      }
    },
  };
}

/** Equal texts are equal and any two others are as near as chance has it. */
const embedder: Embedder = {
  name: 'rehearsed',
  price: { input: 0, output: 0 },
  async *embed(texts) {
    for (let next = await texts.next(); next !== null; next = await texts.next()) {
      const vector = Float32Array.from(
        { length: 8 },
        (_, part) => hash32([next?.text ?? '', part]) - 2 ** 31,
      );
      const usage = { input: 0, output: 0 };
      yield { index: next.index, answer: { ok: true, vector, usage, model: 'rehearsed', requestId: null } };
    }
  },
};

const trainer: Trainer = {
  train: async (job) => ({
    weights: asId<ContentHash>(hashOf([job.base ?? '', job.seed, hash32(['rehearsed'])])),
    loss: 0,
    steps: 0,
  }),
  average: async (weights) => asId<ContentHash>(hashOf(['average', ...weights])),
};

function stage(model: LanguageModel, files: TaskFiles): RunServices {
  const nothing = () => undefined;
  return {
    store: scratchStore([]),
    model: () => model,
    trainer: () => trainer,
    files,
    exports: nowhere,
    clock: { now: () => 0, monotonic: () => 0 },
    log: { info: nothing, warn: nothing, error: nothing },
    onEvents: nothing,
    onProgress: nothing,
  };
}
