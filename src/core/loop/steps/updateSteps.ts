/** Owns how `pack` and `update` of texts run inside a round. Deliberately moves no pointer: new candidates are contenders. */
import { hashOf } from '../../measure/hash.ts';
import type { Candidate, Slot } from '../../model/candidate.ts';
import type { EventBody } from '../../model/event.ts';
import type { TrainingExample } from '../../ports.ts';
import { guardInstruction } from '../../prompt/guards.ts';
import { packCritiques, packExamples, packPairs, packRewards, type Packable } from '../../update/pack.ts';
import { updateState } from '../../update/update.ts';
import { settle } from '../../refine/islands.ts';
import type { ArmState, Dataset, TrainingDataset } from '../arm.ts';
import type { PackParameters, UpdateOf } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { scoresOf } from './attempts.ts';

/** Lengths the pre-training mixture has, where a recipe does not bound its replay. */
const ALL_DIGITS = [1, 2, 3];

export function packStep(context: StepContext, parameters: PackParameters): StepResult {
  const { values, arm } = context;
  const score = scoresOf(values);
  const items = values.experiences.map((experience): Packable => {
    const { task, solution, origin } = experience;
    const verdict = values.refinements.get(solution.id)?.verdict;
    const critique = (values.feedback.get(solution.id) ?? []).findLast(
      ({ source, value }) => source === 'judge' && value.kind === 'text',
    );
    return {
      task,
      solution,
      kept: verdict === 'kept' || verdict === 'corrected',
      score: score(experience),
      negated: origin === 'negated',
      critique: critique?.value.kind === 'text' ? critique.value.text : null,
    };
  });
  const packed = pack(items, arm.inUse.state.instruction, parameters);
  const data = replayed(packed.data, parameters, arm.packed);
  const { replay } = parameters;
  const digest = hashOf(JSON.parse(JSON.stringify(data)) as never);
  const dataset: Dataset = {
    data,
    replay:
      replay?.source === 'pretraining' ? { share: replay.share, digits: replay.digits ?? ALL_DIGITS } : null,
    digest,
  };
  return {
    values: { dataset },
    arm: { packed: packed.data.form === 'sft' ? [...arm.packed, ...packed.data.examples] : arm.packed },
    events: [
      {
        kind: 'datasetPacked',
        form: parameters.form,
        examples: sizeOf(data),
        duplicates: packed.duplicates,
        digest,
      },
    ],
  };
}

export function sizeOf(data: TrainingDataset): number {
  return data.form === 'pairs' ? data.pairs.length : data.examples.length;
}

function pack(
  items: readonly Packable[],
  instruction: string,
  parameters: PackParameters,
): { readonly data: TrainingDataset; readonly duplicates: number } {
  const options = { instruction, strip: parameters.strip };
  switch (parameters.form) {
    case 'sft': {
      const { items: examples, duplicates } = packExamples(items, options, parameters.dedupe);
      return { data: { form: 'sft', examples }, duplicates };
    }
    case 'critique': {
      const { items: examples, duplicates } = packCritiques(items, options);
      return { data: { form: 'sft', examples }, duplicates };
    }
    case 'reward': {
      const { items: examples, duplicates } = packRewards(items, options);
      return { data: { form: 'reward', examples }, duplicates };
    }
    case 'pairs': {
      const { items: pairs, duplicates } = packPairs(items, options, parameters.pairs);
      return { data: { form: 'pairs', pairs }, duplicates };
    }
  }
}

/** Examples of earlier rounds in front, so many that they are the wanted share of the whole; the newest ones. */
function replayed(
  data: TrainingDataset,
  { replay }: PackParameters,
  earlier: readonly TrainingExample[],
): TrainingDataset {
  if (replay?.source !== 'earlier' || data.form !== 'sft' || replay.share >= 1) return data;
  const count = Math.round((data.examples.length * replay.share) / (1 - replay.share));
  return count === 0 ? data : { ...data, examples: [...earlier.slice(-count), ...data.examples] };
}

/** What an update changes: this round's contenders where there are some, so that several updates add up. */
export function basesOf({ arm, values }: StepContext): readonly Candidate[] {
  return values.contenders.length > 0 ? values.contenders : [arm.inUse];
}

/** Turns drafts into candidates; those the guards refuse are told and left out. */
export function draftStep(context: StepContext, slot: 'instruction' | 'workflow'): StepResult {
  const { arm, values } = context;
  const refused: EventBody[] = [];
  // What another slot became in this round is kept: the draft goes onto the contenders that have its parent's text.
  const grownFrom = (parent: Candidate): readonly Candidate[] => {
    const same = values.contenders.filter(({ state }) => state[slot] === parent.state[slot]);
    return same.length > 0 ? same : [parent];
  };
  const grown = values.drafts
    .filter((draft) => draft.slot === slot)
    .flatMap(({ text, note, parents, island, way }): Grown[] => {
      const [first = arm.inUse, ...rest] = parents;
      const verdict = guardInstruction(first.state[slot] ?? '', text, textsOf(context));
      if (verdict.ok)
        return grownFrom(first).map((base) => ({
          candidate: updateState([base, ...rest], { [slot]: text }, note),
          island,
          way,
        }));
      refused.push({ kind: 'warningRaised', message: `A draft was refused (${note}). ${verdict.reason}` });
      return [];
    });
  const made = grown.map(({ candidate }) => candidate);
  return contenders(context, made, slot, refused, grown);
}

/** Train texts that no prompt may carry. */
function textsOf({ values }: StepContext): readonly string[] {
  return values.tasks.flatMap(({ input, reference }) =>
    reference === undefined ? [input] : [input, reference],
  );
}

/** Appends what was distilled to the instruction, an item a line. */
export function patchInstructionStep(
  context: StepContext,
  { maxItems }: UpdateOf<'instruction'>,
): StepResult {
  const refused: EventBody[] = [];
  const made = basesOf(context).flatMap((base): Candidate[] => {
    const { instruction } = base.state;
    const fresh = context.values.knowledge
      .filter(({ text }) => !instruction.includes(text))
      .slice(0, maxItems);
    if (fresh.length === 0) return [];
    const lines = fresh.map(({ text }) => `- ${text.replace(/\s+/g, ' ').trim()}`);
    const text = [instruction.trimEnd(), ...lines].filter((part) => part !== '').join('\n');
    const verdict = guardInstruction(instruction, text, textsOf(context));
    if (verdict.ok)
      return [updateState([base], { instruction: text }, `${fresh.length} lines added to the instruction`)];
    refused.push({
      kind: 'warningRaised',
      message: `An addition to the instruction was refused. ${verdict.reason}`,
    });
    return [];
  });
  return contenders(context, made, 'instruction', refused);
}

/** Back to what the start had in this slot. */
export function resetSlotStep(context: StepContext, slot: Exclude<Slot, 'instruction'>): StepResult {
  const { start } = context.arm;
  const made = basesOf(context).flatMap((base): Candidate[] => {
    const next = updateState([base], { [slot]: start.state[slot] }, `${slot} as at the start`);
    return next.id === base.id ? [] : [next];
  });
  return contenders(context, made, slot, []);
}

/** A candidate as its draft was: on an island, in a way; null where the draft had none. */
interface Grown {
  readonly candidate: Candidate;
  readonly island: number | null;
  readonly way: string | null;
}

/** New candidates take the place of those they grew from; contenders that nothing grew from stay. */
export function contenders(
  { at, arm, run, values }: StepContext,
  made: readonly Candidate[],
  slot: Slot,
  events: readonly EventBody[],
  grown: readonly Grown[] = [],
): StepResult {
  const fresh = made.filter((candidate, index) => made.findIndex(({ id }) => id === candidate.id) === index);
  const parents = new Set(fresh.flatMap((candidate) => candidate.parents));
  const others = values.contenders.filter(
    ({ id }) => !parents.has(id) && !fresh.some((candidate) => candidate.id === id),
  );
  return {
    values: { contenders: [...others, ...fresh] },
    ...(run.recipe.archive === 'all' ? { arm: archived(arm, fresh, grown) } : {}),
    events: [
      ...events,
      ...fresh.map(({ id, note }): EventBody => ({ kind: 'candidateMade', candidateId: id, slot, note })),
    ],
    rows: { candidates: fresh.map((candidate) => ({ ...candidate, at })) },
  };
}

function archived(
  arm: ArmState,
  fresh: readonly Candidate[],
  grown: readonly Grown[],
): Pick<ArmState, 'archive' | 'islands' | 'ways'> {
  const known = new Set(arm.archive.map(({ id }) => id));
  const ways = new Map(arm.ways);
  let { islands } = arm;
  for (const { id, parents } of fresh) {
    const own = grown.filter(({ candidate }) => candidate.id === id);
    const homes = own.flatMap(({ island }) => island ?? []);
    islands = settle(islands, id, homes, parents[0]);
    const way = own.find((one) => one.way !== null)?.way;
    if (way !== undefined && way !== null) ways.set(id, way);
  }
  return { archive: [...arm.archive, ...fresh.filter(({ id }) => !known.has(id))], islands, ways };
}
