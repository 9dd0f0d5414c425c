/**
 * Owns the type check of a recipe: before anything is spent, each step's inputs must have been produced by an earlier one,
 * in the loop and in its control. Deliberately looks at kinds of values only, never at data.
 */
import { isGuard } from '../refine/guards.ts';
import { flowOf, flowWithout, madeBy, type Kind } from './flow.ts';
import type { Fault } from './parseRecipe.ts';
import type { OperatorStep, Recipe, Step } from './recipe.ts';
import { operatorSteps } from './recipe.ts';

export function checkSteps(recipe: Recipe): Fault[] {
  const faults = [
    ...repeatedNames(recipe.steps),
    ...missingInputs(recipe, []),
    ...(recipe.controlWithout === null ? [] : missingInputs(recipe, recipe.controlWithout)),
    ...suites(recipe),
    ...islandFaults(recipe),
    ...embedderFaults(recipe),
  ];
  const seen = new Set<string>();
  return faults.filter((fault) => {
    const key = JSON.stringify(fault);
    return !seen.has(key) && seen.add(key);
  });
}

const NO_EMBEDDER = 'Likeness by meaning needs an embedder; add "embedder: provider/model".';

function embedderFaults({ embedder, objective, retrieval }: Recipe): Fault[] {
  if (embedder !== null) return [];
  return [
    ...(objective.metric === 'embedding' ? [{ path: ['objective', 'metric'], message: NO_EMBEDDER }] : []),
    ...(retrieval === 'embedding' ? [{ path: ['retrieval'], message: NO_EMBEDDER }] : []),
  ];
}

/** Islands differ by whose parents are drawn where: without such a draw they are one. */
function islandFaults({ islands, steps }: Recipe): Fault[] {
  const draws = operatorSteps(steps).some(
    ({ operator, with: parameters }) =>
      operator === 'select' &&
      parameters.over === 'candidates' &&
      ['pareto', 'tournament', 'softmax'].includes(parameters.policy),
  );
  return islands.count === 1 || draws
    ? []
    : [
        {
          path: ['population', 'islands'],
          message:
            'No step draws parents on the islands; add "- select: { over: candidates, policy: tournament }".',
        },
      ];
}

/** A step with where it stands in the text. */
interface Placed {
  readonly step: OperatorStep;
  readonly at: readonly (string | number)[];
}

function placed(steps: readonly Step[]): readonly Placed[] {
  return steps.flatMap((step, index): Placed[] =>
    step.operator === 'loop'
      ? step.steps.map((inner, place) => ({ step: inner, at: ['steps', index, 'loop', 'do', place] }))
      : [{ step, at: ['steps', index] }],
  );
}

function repeatedNames(steps: readonly Step[]): Fault[] {
  const all = placed(steps);
  return all.flatMap(({ step, at }, index) =>
    all.findIndex((other) => other.step.path === step.path) < index
      ? [{ path: [...at, 'as'], message: `Two steps are called "${step.path}"; names are used once.` }]
      : [],
  );
}

function missingInputs(recipe: Recipe, without: readonly string[]): Fault[] {
  const made = new Set<Kind>(['tasks']);
  const seen = new Set<string>();
  const where = without.length > 0 ? ' in the control' : '';
  return placed(recipe.steps).flatMap(({ step, at }) => {
    const flow = without.includes(step.path) ? flowWithout(step) : flowOf(step);
    const missing = flow.needs.filter((kind) => !made.has(kind));
    const unknown = step.from.filter((name) => !seen.has(name));
    for (const kind of flow.makes) made.add(kind);
    seen.add(step.path);
    return [
      ...missing.map((kind) => ({
        path: [...at, step.operator],
        message: `"${step.path}" needs ${kind}, which no earlier step makes${where}; add ${madeBy[kind]} before it.`,
      })),
      ...unknown.map((name) => ({
        path: [...at, 'from'],
        message: `"${step.path}" reads from "${name}", which is no earlier step.`,
      })),
    ];
  });
}

function suites(recipe: Recipe): Fault[] {
  const steps = operatorSteps(recipe.steps);
  const faults: Fault[] = [];
  if (!steps.some((step) => step.operator === 'evaluate' && step.with.suite === 'dev')) {
    faults.push({
      path: ['steps'],
      message:
        'Nothing evaluates the dev suite, so no curve could be shown; add "- evaluate: { suite: dev }".',
    });
  }
  return [...faults, ...placed(recipe.steps).flatMap((item) => parameterFaults(item, recipe))];
}

/** Whether a step of the recipe finds parts of the objective to work on, which topics may be. */
function findsTopics({ steps }: Recipe): boolean {
  return operatorSteps(steps).some(
    (step) =>
      step.operator === 'retarget' && (step.with.policy === 'weakness' || step.with.policy === 'split'),
  );
}

/** What a schema of one parameter cannot see: parameters that only make sense together. */
function parameterFaults({ step, at }: Placed, recipe: Recipe): Fault[] {
  const fault = (name: string, message: string): Fault => ({ path: [...at, step.operator, name], message });
  switch (step.operator) {
    case 'evaluate':
      if (isGuard(step.with.suite) && recipe.data[step.with.suite] === undefined)
        return [fault('suite', `There are no ${step.with.suite} tasks; add data.${step.with.suite}.`)];
      if (step.with.passAt !== undefined && step.with.passAt > step.with.repeats)
        return [fault('passAt', `It takes ${step.with.passAt} repeats or more to see; set repeats.`)];
      return step.with.fresh !== undefined && step.with.suite !== 'train'
        ? [fault('fresh', 'Fresh tasks can be drawn from suite train only.')]
        : [];
    case 'revise':
      return step.with.over === 'instruction' &&
        step.with.mode === 'edit' &&
        step.with.edits.some((edit) => edit === 'add' || edit === 'substitute') &&
        step.with.phrases.length === 0
        ? [fault('phrases', 'The edits "add" and "substitute" need phrases to draw from.')]
        : [];
    case 'propose':
      if (step.with.source === 'selfChallenging' && !step.with.reference)
        return [fault('reference', 'Without its answer a task of selfChallenging cannot be confirmed.')];
      return step.with.source === 'topic' && step.with.topics.length === 0 && !findsTopics(recipe)
        ? [fault('topics', 'The source "topic" needs topics to draw from.')]
        : [];
    case 'solve':
      return step.with.roles.length === 1
        ? [fault('roles', 'One role alone is no conversation; name two or more, or none.')]
        : step.with.roles.length > 0 && step.with.tools.length > 0
          ? [fault('tools', 'Roles and tools cannot be used in one step.')]
          : step.with.search !== undefined && step.with.roles.length + step.with.tools.length > 0
            ? [fault('search', 'A search takes no roles and no tools.')]
            : [];
    case 'select':
      return step.with.over === 'candidates' && step.with.policy === 'pareto' && recipe.archive === 'none'
        ? [fault('policy', 'Parents can be drawn from an archive only; add "population: { archive: all }".')]
        : [];
    case 'update':
      return step.with.slot === 'weights' && step.with.op === 'export' && step.with.file === undefined
        ? [fault('file', 'Say which file the data set is written to.')]
        : [];
    case 'assess':
      return step.with.source === 'environment' || step.with.source === 'dualExecution'
        ? [fault('source', 'This runs code, which waits for the sandbox; use another source until then.')]
        : step.with.metric === 'embedding' && recipe.embedder === null
          ? [fault('metric', NO_EMBEDDER)]
          : step.with.on === 'tasks' && step.with.source !== 'judge'
            ? [fault('source', 'Tasks are judged by a judge; solve them to judge them by their solutions.')]
            : [];
    case 'distill':
    case 'pack':
    case 'retarget':
      return [];
  }
}
