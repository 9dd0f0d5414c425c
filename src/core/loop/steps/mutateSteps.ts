/** Owns how drafts of an instruction are made inside a round: by edits of phrases, and by a model. Deliberately makes no candidate. */
import { hashOf } from '../../measure/hash.ts';
import { pick, shuffle, stream, streamSeed, type Random } from '../../measure/random.ts';
import type { Candidate } from '../../model/candidate.ts';
import type { EventBody } from '../../model/event.ts';
import type { Message } from '../../ports.ts';
import { joinPhrases, splitPhrases } from '../../prompt/phrases.ts';
import {
  mutationMessages,
  readInstruction,
  readPhrase,
  readWay,
  WAYS,
  wayMessages,
} from '../../refine/mutate.ts';
import { reviseInstruction, type Draft } from '../../refine/revise.ts';
import type { Parent } from '../arm.ts';
import type { ReviseParameters } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import {
  ancestorsOf,
  commonAncestorOf,
  devScore,
  examplesOf,
  historyOf,
  isLineal,
  ratedOf,
  tracesOf,
  winsOf,
} from './evidence.ts';

type ByEdit = Extract<ReviseParameters, { mode: 'edit' }>;
export type ByModel = Extract<ReviseParameters, { evidence: number }>;
type Mode = ByModel['mode'];

export function drafted(
  context: StepContext,
  drafts: readonly Draft[],
  events: readonly EventBody[] = [],
): StepResult {
  return {
    values: { drafts: [...context.values.drafts.filter((draft) => !drafts.includes(draft)), ...drafts] },
    events: [
      { kind: 'draftsRevised', count: drafts.length, digest: hashOf(drafts.map(({ text }) => text)) },
      ...events,
    ],
  };
}

function parentsOf({ values, arm }: StepContext): readonly Parent[] {
  return values.parents.length > 0 ? values.parents : [{ candidate: arm.inUse, island: 0 }];
}

export function editStep(context: StepContext, parameters: ByEdit): StepResult {
  const { run, at } = context;
  const parents = parentsOf(context);
  const each = { ...parameters, n: Math.max(1, Math.floor(parameters.n / parents.length)) };
  const drafts = parents.flatMap(({ candidate, island }, index) =>
    reviseInstruction(
      candidate,
      each,
      index === 0 ? stream(run.seed, at.step, at.round) : stream(run.seed, at.step, at.round, index),
    ).map((draft) => ({ ...draft, island })),
  );
  return drafted(context, drafts);
}

/** One draft to be asked for. */
interface Plan {
  readonly sample: number;
  readonly parents: readonly [Candidate, ...Candidate[]];
  readonly island: number;
  readonly way: string;
  /** paraphrase: which phrase. */
  readonly phrase: number;
}

/** Other candidates a mode takes beside its first. */
const OTHERS: Readonly<Partial<Record<Mode, number>>> = { crossover: 1, merge: 1, differential: 2 };

export async function mutateStep(context: StepContext, parameters: ByModel): Promise<StepResult> {
  const { mode } = parameters;
  const plans = plansOf(context, parameters);
  if (plans.length === 0) {
    const message =
      mode === 'paraphrase'
        ? 'The instruction is empty, so there is no phrase to say in other words.'
        : `There is no second candidate to ${mode === 'merge' ? 'merge' : 'cross'} with yet, so no draft was made.`;
    return drafted(context, [], [{ kind: 'warningRaised', message }]);
  }
  const changed = mode === 'hyper' ? await changedWays(context, parameters, plans) : plans;
  const replies = await askFor(
    context,
    parameters,
    changed.map((plan) => ({ plan, item: '', messages: messagesFor(context, parameters, plan) })),
  );
  const texts = new Map<string, Draft>();
  replies.forEach((reply, index) => {
    const plan = changed[index];
    const text = plan === undefined || reply === null ? null : textFrom(mode, plan, reply);
    if (plan === undefined || text === null) return;
    const key = `${plan.island} ${text}`;
    if (plan.parents.some(({ state }) => state.instruction === text) || texts.has(key)) return;
    const { parents, island, way } = plan;
    texts.set(key, { slot: 'instruction', text, note: NOTES[mode], parents, island, way });
  });
  const lost = plans.length - texts.size;
  const events: EventBody[] =
    lost === 0
      ? []
      : [{ kind: 'warningRaised', message: `${lost} of ${plans.length} replies held no new instruction.` }];
  return drafted(context, [...texts.values()], events);
}

const NOTES: Readonly<Record<Mode, string>> = {
  reflect: 'rewritten after looking at what it led to',
  firstOrder: 'changed in one way',
  zeroOrder: 'written anew from the ability',
  lineage: 'the next of its line',
  trajectory: 'written from the scores of earlier ones',
  hyper: 'changed in a way thought of first',
  crossover: 'crossed from two',
  differential: 'the best, changed where two others differ',
  merge: 'merged from two',
  paraphrase: 'one phrase in other words',
};

function plansOf(context: StepContext, { mode, n }: ByModel): readonly Plan[] {
  const { run, at, arm } = context;
  const all = parentsOf(context);
  const needed = OTHERS[mode] ?? 0;
  return Array.from({ length: n }, (_, sample) => sample).flatMap((sample): Plan[] => {
    const random = stream(run.seed, at.step, at.round, sample);
    const first = all[sample % all.length] ?? { candidate: arm.inUse, island: 0 };
    const others = drawn(random, matesFor(mode, context, first), needed);
    const way = wayOf(context, first.candidate, mode, random);
    const phrases = splitPhrases(first.candidate.state.instruction).length;
    if (others.length < needed || (mode === 'paraphrase' && phrases === 0)) return [];
    const phrase = mode === 'paraphrase' ? random.int(phrases) : 0;
    return [{ sample, parents: [first.candidate, ...others], island: first.island, way, phrase }];
  });
}

function drawn(random: Random, pool: readonly Candidate[], count: number): readonly Candidate[] {
  if (count === 0 || pool.length === 0) return [];
  return count === 1 ? [pick(random, pool)] : shuffle(random, pool).slice(0, count);
}

/** A candidate's own way is the one that made it (Promptbreeder's units carry theirs); others take one that is drawn. */
function wayOf({ arm }: StepContext, parent: Candidate, mode: Mode, random: Random): string {
  const fresh = pick(random, WAYS);
  const own = mode === 'firstOrder' || mode === 'hyper' ? arm.ways.get(parent.id) : undefined;
  return own ?? fresh;
}

/** A merge of a candidate with its own ancestor holds nothing new, so others come first (GEPA). */
function matesFor(mode: Mode, context: StepContext, first: Parent): readonly Candidate[] {
  const all = mates(context, first);
  const apart = mode === 'merge' ? all.filter((other) => !isLineal(context, first.candidate, other)) : all;
  return apart.length > 0 ? apart : all;
}

/** Candidates of the first one's island a draft may be crossed with: the round's parents, else the archive. */
function mates({ arm, values }: StepContext, { candidate: first, island }: Parent): readonly Candidate[] {
  const parents = values.parents.filter((parent) => parent.island === island);
  const archived = [...arm.archive, arm.inUse].filter(
    ({ id }) => arm.islands.length < 2 || arm.islands[island]?.has(id) === true,
  );
  const pool = parents.length > 1 ? parents.map(({ candidate }) => candidate) : archived;
  return pool.filter(
    ({ id, state }, index) =>
      id !== first.id &&
      state.instruction !== first.state.instruction &&
      pool.findIndex((other) => other.id === id) === index,
  );
}

interface Asking {
  readonly plan: Plan;
  /** Tells several calls for one plan apart. */
  readonly item: string;
  readonly messages: readonly Message[];
}

/** Null for a call that failed. */
async function askFor(
  context: StepContext,
  { temperature, maxTokens }: ByModel,
  asked: readonly Asking[],
): Promise<readonly (string | null)[]> {
  const { run, at, arm } = context;
  const answers = await context.ask(
    at.round,
    asked.map(({ plan: { sample, parents }, item, messages }) => ({
      item: `${parents.map(({ id }) => id).join('+')}${item}`,
      sample,
      input: '',
      request: {
        messages,
        temperature,
        maxTokens,
        seed: streamSeed(run.seed, at.step, at.round, sample, ...(item === '' ? [] : [item])),
        weights: arm.inUse.state.weights,
      },
    })),
  );
  return answers.map((answer) => (answer.ok ? answer.text : null));
}

/** The plans with ways the model made of theirs; one whose reply holds none goes on with what it had. */
async function changedWays(
  context: StepContext,
  parameters: ByModel,
  plans: readonly Plan[],
): Promise<readonly Plan[]> {
  const { ability } = context.run.recipe.objective;
  const replies = await askFor(
    context,
    parameters,
    plans.map((plan) => ({ plan, item: ' way', messages: wayMessages(ability, plan.way) })),
  );
  return plans.map((plan, index) => ({ ...plan, way: readWay(replies[index] ?? '') ?? plan.way }));
}

function messagesFor(context: StepContext, parameters: ByModel, plan: Plan): readonly Message[] {
  const { run, arm } = context;
  const { mode, evidence, history } = parameters;
  const [first, second] = plan.parents;
  const pair = mode === 'merge' && second !== undefined ? ([first, second] as const) : null;
  return mutationMessages(mode, {
    ability: run.recipe.objective.ability,
    parents: plan.parents.map((parent) => ratedOf(arm, parent)),
    best: mode === 'differential' ? ratedOf(arm, bestOf(context, plan)) : null,
    traces: mode === 'reflect' ? tracesOf(context, evidence, plan.sample) : [],
    history: mode === 'trajectory' ? historyOf(context, history) : [],
    examples: mode === 'trajectory' ? examplesOf(context, evidence, plan.sample) : [],
    ancestors:
      mode === 'lineage'
        ? ancestorsOf(context, first, history)
        : pair === null
          ? []
          : commonAncestorOf(context, ...pair),
    wins: pair === null ? [] : winsOf(context, ...pair),
    way: plan.way,
    phrase: splitPhrases(first.state.instruction)[plan.phrase] ?? '',
  });
}

/** The best of the island by dev score, the plan's own first among equals. */
function bestOf(context: StepContext, { parents: [first], island }: Plan): Candidate {
  const score = (candidate: Candidate) => devScore(context.arm, candidate) ?? -1;
  return mates(context, { candidate: first, island }).reduce(
    (best, next) => (score(next) > score(best) ? next : best),
    first,
  );
}

function textFrom(mode: Mode, { parents: [first], phrase }: Plan, reply: string): string | null {
  if (mode !== 'paraphrase') return readInstruction(reply);
  const said = readPhrase(reply);
  return said === null ? null : joinPhrases(splitPhrases(first.state.instruction).with(phrase, said));
}
