/**
 * Owns the type check of a recipe: before anything is spent, each step's inputs must have been produced by an earlier one,
 * in the loop and in its control. Deliberately looks at kinds of values only, never at data.
 */
import type { Fault } from './parseRecipe.ts';
import type { Recipe, Step } from './recipe.ts';

/** The kinds of values that flow between steps of one round. */
type Kind =
  | 'tasks'
  | 'solutions'
  | 'feedback'
  | 'refinements'
  | 'dataset'
  | 'drafts'
  | 'contenders'
  | 'evaluations';

interface Flow {
  readonly needs: readonly Kind[];
  readonly makes: readonly Kind[];
}

const madeBy: Record<Kind, string> = {
  tasks: 'data',
  solutions: 'solve',
  feedback: 'assess',
  refinements: 'select over solutions',
  dataset: 'pack',
  drafts: 'revise',
  contenders: 'update',
  evaluations: 'evaluate',
};

function flowOf(step: Step): Flow {
  switch (step.operator) {
    case 'solve':
      return { needs: ['tasks'], makes: ['solutions'] };
    case 'assess':
      return { needs: ['solutions'], makes: ['feedback'] };
    case 'select':
      return step.with.over === 'solutions'
        ? { needs: ['solutions', 'feedback'], makes: ['refinements'] }
        : { needs: ['contenders', 'evaluations'], makes: [] };
    case 'pack':
      return {
        needs: step.with.form === 'pairs' ? ['refinements', 'feedback'] : ['refinements'],
        makes: ['dataset'],
      };
    case 'update':
      return { needs: [step.with.slot === 'weights' ? 'dataset' : 'drafts'], makes: ['contenders'] };
    case 'revise':
      return { needs: [], makes: ['drafts'] };
    case 'evaluate':
      return { needs: [], makes: ['evaluations'] };
  }
}

/** A control may leave a selection out: everything is then kept, which is what it is there to show. */
function flowWithout(step: Step): Flow {
  return step.operator === 'select' && step.with.over === 'solutions'
    ? { needs: ['solutions'], makes: ['refinements'] }
    : { needs: [], makes: [] };
}

export function checkSteps(recipe: Recipe): Fault[] {
  const faults = [
    ...repeatedNames(recipe.steps),
    ...missingInputs(recipe, []),
    ...(recipe.controlWithout === null ? [] : missingInputs(recipe, recipe.controlWithout)),
    ...suites(recipe),
  ];
  const seen = new Set<string>();
  return faults.filter((fault) => {
    const key = JSON.stringify(fault);
    return !seen.has(key) && seen.add(key);
  });
}

function repeatedNames(steps: readonly Step[]): Fault[] {
  return steps.flatMap((step, index) =>
    steps.findIndex((other) => other.path === step.path) < index
      ? [
          {
            path: ['steps', index, 'as'],
            message: `Two steps are called "${step.path}"; names are used once.`,
          },
        ]
      : [],
  );
}

function missingInputs(recipe: Recipe, without: readonly string[]): Fault[] {
  const made = new Set<Kind>(['tasks']);
  const where = without.length > 0 ? ' in the control' : '';
  return recipe.steps.flatMap((step, index) => {
    const left = without.includes(step.path);
    const flow = left ? flowWithout(step) : flowOf(step);
    const missing = flow.needs.filter((kind) => !made.has(kind));
    for (const kind of flow.makes) made.add(kind);
    return missing.map((kind) => ({
      path: ['steps', index, step.operator],
      message: `"${step.path}" needs ${kind}, which no earlier step makes${where}; add ${madeBy[kind]} before it.`,
    }));
  });
}

function suites(recipe: Recipe): Fault[] {
  const faults: Fault[] = [];
  const evaluatesDev = recipe.steps.some((step) => step.operator === 'evaluate' && step.with.suite === 'dev');
  if (!evaluatesDev) {
    faults.push({
      path: ['steps'],
      message:
        'Nothing evaluates the dev suite, so no curve could be shown; add "- evaluate: { suite: dev }".',
    });
  }
  recipe.steps.forEach((step, index) => {
    if (step.operator === 'evaluate' && step.with.fresh !== undefined && step.with.suite !== 'train') {
      faults.push({
        path: ['steps', index, 'evaluate', 'fresh'],
        message: 'Fresh tasks can be drawn from suite train only.',
      });
    }
    if (
      step.operator === 'revise' &&
      step.with.edits.some((edit) => edit === 'add' || edit === 'substitute') &&
      step.with.phrases.length === 0
    ) {
      faults.push({
        path: ['steps', index, 'revise', 'phrases'],
        message: 'The edits "add" and "substitute" need phrases to draw from.',
      });
    }
  });
  return faults;
}
