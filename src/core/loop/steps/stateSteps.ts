/** Owns how `update` of demonstrations, memory, scratch and judge runs inside a round. Deliberately moves no pointer. */
import { kCenter } from '../../measure/diversity.ts';
import { overlap } from '../../measure/overlap.ts';
import { shuffle, stream } from '../../measure/random.ts';
import type { Candidate, ModelState } from '../../model/candidate.ts';
import type { Demonstration, Knowledge } from '../../model/knowledge.ts';
import { countUse, forgetKnowledge, insertKnowledge, mergeKnowledge } from '../../update/memory.ts';
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
  const { values, at } = context;
  const change = (memory: readonly Knowledge[]): readonly Knowledge[] => {
    const insert = (into: readonly Knowledge[]) =>
      insertKnowledge(into, values.knowledge, overlap, parameters.maxOverlap);
    const fit = { maxItems: parameters.maxItems, minWorth: -Infinity, halfLife: Infinity };
    switch (parameters.op) {
      case 'insert':
        return forgetKnowledge(insert(memory), at.round, fit);
      case 'patch':
        return forgetKnowledge(insert(countUse(memory, usesOf(context), at.round)), at.round, fit);
      case 'merge':
        return forgetKnowledge(mergeKnowledge(insert(memory), overlap, parameters.maxOverlap), at.round, fit);
      case 'decay':
        return forgetKnowledge(memory, at.round, {
          ...fit,
          minWorth: parameters.minWorth,
          halfLife: parameters.halfLife,
        });
      case 'forget':
        return forgetKnowledge(memory, at.round, { ...fit, minWorth: parameters.minWorth });
      case 'reset':
        return [];
    }
  };
  return changed(context, 'memory', ({ memory = [] }) => {
    const value = change(memory);
    const added = value.filter(({ id }) => !memory.some((item) => item.id === id)).length;
    const gone = memory.filter(({ id }) => !value.some((item) => item.id === id)).length;
    return { value, note: `memory of ${value.length} items: ${added} new, ${gone} gone` };
  });
}

/** Which items were in the prompts of this round's attempts, and whether those were solved. */
function usesOf({ values }: StepContext): readonly { readonly id: string; readonly helped: boolean }[] {
  const scoreOf = scoresOf(values);
  return values.experiences.flatMap((experience) => {
    const score = scoreOf(experience);
    return score === null ? [] : experience.recalled.map((id) => ({ id, helped: score >= 1 }));
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
