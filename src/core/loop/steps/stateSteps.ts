/** Owns how `update` of demonstrations, memory, scratch and judge runs inside a round. Deliberately moves no pointer. */
import { kCenter } from '../../measure/diversity.ts';
import { hashOf } from '../../measure/hash.ts';
import { overlap } from '../../measure/overlap.ts';
import { shuffle, stream } from '../../measure/random.ts';
import type { Candidate, ModelState } from '../../model/candidate.ts';
import type { SolutionId } from '../../model/ids.ts';
import type { Demonstration, Knowledge } from '../../model/knowledge.ts';
import { addUses, forgetKnowledge, insertKnowledge, mergeKnowledge, withUses } from '../../update/memory.ts';
import { SealedTaskError, stripped } from '../../update/pack.ts';
import { updateState } from '../../update/update.ts';
import type { Experience } from '../arm.ts';
import type { UpdateOf } from '../recipe.ts';
import type { StepContext, StepResult } from '../stepContext.ts';
import { scoresOf } from './attempts.ts';
import { basesOf, contenders, resetSlotStep } from './updateSteps.ts';

/** One candidate for each base whose state changes; a round that changes nothing makes none. */
function changed(
  context: StepContext,
  slot: 'demonstrations' | 'memory' | 'scratch' | 'judge',
  change: (state: ModelState) => { readonly value: ModelState[typeof slot]; readonly note: string } | null,
): StepResult {
  const made = basesOf(context).flatMap((base): Candidate[] => {
    const next = change(base.state);
    if (next === null) return [];
    const candidate = updateState([base], { [slot]: next.value }, next.note);
    return candidate.id === base.id ? [] : [candidate];
  });
  if (made.length > 0) return contenders(context, made, slot, []);
  return {
    events: [
      { kind: 'warningRaised', message: `The ${slot} stayed as it was, so no candidate was made here.` },
    ],
  };
}

/** Kept solutions of train tasks, one a task: the highest score, then the shortest. */
function worthy({ values }: StepContext): readonly Experience[] {
  const kept = values.experiences.filter(({ solution, origin }) => {
    const verdict = values.refinements.get(solution.id)?.verdict;
    return (
      (verdict === 'kept' || verdict === 'corrected') && origin !== 'negated' && solution.failure === null
    );
  });
  for (const { task } of kept)
    if (task.split === 'dev' || task.split === 'test')
      throw new SealedTaskError(`A ${task.split} task reached the demonstrations; nothing was changed.`);
  const scoreOf = scoresOf(values);
  const score = new Map(kept.map((experience) => [experience, scoreOf(experience) ?? 0]));
  const better = (a: Experience, b: Experience) =>
    (score.get(b) ?? 0) - (score.get(a) ?? 0) || a.solution.output.length - b.solution.output.length;
  return [...Map.groupBy(kept, ({ task }) => task.id).values()]
    .map((group) => group.toSorted(better)[0] as Experience)
    .sort(better);
}

export function setDemonstrationsStep(
  context: StepContext,
  parameters: UpdateOf<'demonstrations'>,
): StepResult {
  if (parameters.op === 'reset') return resetSlotStep(context, 'demonstrations');
  const { run, at } = context;
  const all = worthy(context);
  const picked = (experiences: readonly Experience[]): readonly Experience[] => {
    switch (parameters.pick) {
      case 'best':
        return experiences.slice(0, parameters.k);
      case 'diverse':
        return kCenter(
          experiences.length,
          parameters.k,
          (a, b) => 1 - overlap(experiences[a]?.task.input ?? '', experiences[b]?.task.input ?? ''),
        ).flatMap((index) => experiences[index] ?? []);
      case 'random':
        return shuffle(stream(run.seed, at.step, at.round, 'demonstrations'), experiences).slice(
          0,
          parameters.k,
        );
    }
  };
  const fresh = picked(all).map(
    ({ task, solution }): Demonstration => ({
      taskId: task.id,
      input: task.input,
      output: stripped(solution.output, []),
    }),
  );
  return changed(context, 'demonstrations', ({ demonstrations = [] }) => {
    if (fresh.length === 0) return null;
    const ids = new Set(fresh.map(({ taskId }) => taskId));
    const before = parameters.op === 'insert' ? demonstrations.filter(({ taskId }) => !ids.has(taskId)) : [];
    const value = [...before, ...fresh].slice(-parameters.k);
    return { value, note: `${value.length} demonstrations` };
  });
}

export function setMemoryStep(context: StepContext, parameters: UpdateOf<'memory'>): StepResult {
  if (parameters.op === 'reset') return resetSlotStep(context, 'memory');
  const { at, arm, values } = context;
  const fresh = parameters.op === 'patch' ? usesOf(context) : [];
  const carriers = [...values.contenders, arm.inUse].flatMap(({ state }) => state.memory ?? []);
  const uses = addUses(arm.uses, carriers, fresh, at.round);
  const result = changed(context, 'memory', ({ memory = [] }) => {
    const value = changedMemory(context, parameters, withUses(memory, uses));
    const added = value.filter(({ id }) => !memory.some((item) => item.id === id)).length;
    const gone = memory.filter(({ id }) => !value.some((item) => item.id === id)).length;
    // How items did is known of the candidate in use as well: counts alone are no other candidate.
    if (added + gone === 0) return null;
    return { value, note: `memory of ${value.length} items: ${added} new, ${gone} gone` };
  });
  if (fresh.length === 0) return result;
  const helped = fresh.filter((use) => use.helped).length;
  const text = `uses of memory: ${helped} in solved attempts, ${fresh.length - helped} in failed ones`;
  const counted = new Set(fresh.map(({ solutionId }) => solutionId));
  const before = [...arm.counted].filter((id) =>
    values.experiences.some(({ solution }) => solution.id === id),
  );
  return {
    ...result,
    arm: { ...result.arm, uses, counted: new Set([...before, ...counted]) },
    events: [{ kind: 'reportMade', text, digest: hashOf([text]) }, ...result.events],
  };
}

function changedMemory(
  { values, at }: StepContext,
  { op, maxItems, maxOverlap, minWorth, halfLife }: UpdateOf<'memory'>,
  memory: readonly Knowledge[],
): readonly Knowledge[] {
  const insert = () => insertKnowledge(memory, values.knowledge, overlap, maxOverlap);
  const fit = { maxItems, minWorth: -Infinity, halfLife: Infinity };
  switch (op) {
    case 'insert':
    case 'patch':
      return forgetKnowledge(insert(), at.round, fit);
    case 'merge':
      return forgetKnowledge(mergeKnowledge(insert(), overlap, maxOverlap), at.round, fit);
    case 'decay':
      return forgetKnowledge(memory, at.round, { ...fit, minWorth, halfLife });
    case 'forget':
      return forgetKnowledge(memory, at.round, { ...fit, minWorth });
    case 'reset':
      return [];
  }
}

interface Use {
  readonly solutionId: SolutionId;
  readonly id: string;
  readonly helped: boolean;
}

/** Which items were in the prompts of this round's attempts, and whether those were solved; each attempt counts once. */
function usesOf({ values, arm, at }: StepContext): readonly Use[] {
  const scoreOf = scoresOf(values);
  return values.experiences.flatMap((experience): Use[] => {
    const score = scoreOf(experience);
    const { id: solutionId, at: made } = experience.solution;
    if (score === null || made.round !== at.round || arm.counted.has(solutionId)) return [];
    return experience.recalled.map((id) => ({ solutionId, id, helped: score >= 1 }));
  });
}

export function setScratchStep(context: StepContext, { op, keepLast }: UpdateOf<'scratch'>): StepResult {
  if (op === 'reset') return resetSlotStep(context, 'scratch');
  const notes = context.values.knowledge.map(({ text }) => text);
  return changed(context, 'scratch', ({ scratch = [] }) => {
    if (notes.length === 0) return null;
    const before = op === 'insert' ? scratch.filter((note) => !notes.includes(note)) : [];
    const value = [...before, ...new Set(notes)].slice(-keepLast);
    return { value, note: `${value.length} notes for the next attempts` };
  });
}

export function setJudgeStep(context: StepContext, { rubric, model }: UpdateOf<'judge'>): StepResult {
  const { run } = context;
  return changed(context, 'judge', () => ({
    value: { model: model ?? run.recipe.judge ?? run.recipe.model, rubric },
    note: 'another judge',
  }));
}
