/**
 * Owns what a form shows of a recipe's text, and the smallest edit that changes one setting in it.
 * Deliberately works on the text: every byte that is not the setting's value stays as it is.
 */
import { isMap, isNode, isScalar, parseDocument, type Document, type YAMLMap } from 'yaml';
import type { RecipeDescription, RecipeField, RecipeSetting, TextEdit } from '../model/recipeView.ts';
import { parseRecipe } from './parseRecipe.ts';
import { detailOf } from './details.ts';
import { operatorSteps, phaseOf, type Recipe } from './recipe.ts';

interface FieldSpec extends Omit<RecipeSetting, 'value'> {
  /** What applies where the text says nothing; null means no limit. */
  readonly fallback: number | null;
}

const fields: readonly FieldSpec[] = [
  {
    field: 'rounds',
    label: 'Rounds',
    minimum: 1,
    maximum: 1000,
    whole: true,
    fallback: 3,
    help: 'Turns of the wheel: acquire, refine, update, evaluate.',
  },
  {
    field: 'samples',
    label: 'Samples',
    minimum: 1,
    maximum: 64,
    whole: true,
    fallback: 1,
    help: 'Solutions drawn for each task in a round.',
  },
  {
    field: 'temperature',
    label: 'Temperature',
    minimum: 0,
    maximum: 2,
    whole: false,
    fallback: 1,
    help: 'How freely solutions are drawn; 0 always gives the likeliest.',
  },
  {
    field: 'seed',
    label: 'Seed',
    minimum: 0,
    maximum: 0xffff_ffff,
    whole: true,
    fallback: 1,
    help: 'The same seed gives the same run.',
  },
  {
    field: 'budget.minutes',
    label: 'Minutes',
    minimum: 0.1,
    maximum: 100_000,
    whole: false,
    fallback: null,
    help: 'The run stands still when this much working time is used.',
  },
  {
    field: 'budget.calls',
    label: 'Calls',
    minimum: 1,
    maximum: 1_000_000_000,
    whole: true,
    fallback: null,
    help: 'Most model calls the whole run may make.',
  },
  {
    field: 'budget.tokens',
    label: 'Tokens',
    minimum: 1,
    maximum: 1_000_000_000_000,
    whole: true,
    fallback: null,
    help: 'Most tokens, read and written, the whole run may use.',
  },
  {
    field: 'budget.usd',
    label: 'US dollars',
    minimum: 0.000_001,
    maximum: 1_000_000,
    whole: false,
    fallback: null,
    help: 'Most money the whole run may use, at the price of the model.',
  },
];

/** Describes any text: one that is no recipe yet has its problems, and the settings that can be read. */
export function describeRecipe(text: string): RecipeDescription {
  const { recipe, problems } = parseRecipe(text);
  const document = parseDocument(text, { version: '1.2' });
  const solves = solvePath(document) !== null;
  const read = (field: RecipeField, fallback: number | null) => {
    const value = document.getIn(pathOf(document, field) ?? ['\0']);
    return typeof value === 'number' ? value : fallback;
  };
  const settings = fields
    .filter(({ field }) => solves || (field !== 'samples' && field !== 'temperature'))
    .map(({ fallback, ...setting }): RecipeSetting => ({ ...setting, value: read(setting.field, fallback) }));
  return {
    name: recipe?.name ?? textAt(document, ['name']) ?? '',
    objective: recipe === null ? (textAt(document, ['objective', 'ability']) ?? '') : objectiveOf(recipe),
    settings,
    steps: operatorSteps(recipe?.steps ?? []).map((step) => ({
      path: step.path,
      phase: phaseOf(step.operator),
      operator: step.operator,
      detail: detailOf(step),
    })),
    control:
      recipe === null || recipe.controlWithout === null
        ? null
        : `the same loop without ${recipe.controlWithout.join(' and ')}`,
    problems,
  };
}

/** The smallest edit that sets the field; null when the text is not a recipe, or the value is out of range. */
export function editRecipe(text: string, field: RecipeField, value: number): TextEdit | null {
  const spec = fields.find((item) => item.field === field);
  const fits =
    spec !== undefined &&
    Number.isFinite(value) &&
    value >= spec.minimum &&
    value <= spec.maximum &&
    (!spec.whole || Number.isInteger(value));
  if (!fits) return null;
  const document = parseDocument(text, { version: '1.2' });
  if (document.errors.length > 0 || !isMap(document.contents)) return null;
  const path = pathOf(document, field);
  if (path === null) return null;
  const node = document.getIn(path, true);
  if (isScalar(node) && node.range) return { start: node.range[0], end: node.range[1], text: String(value) };
  if (node !== undefined) return null;
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = String(path.at(-1));
  if (isMap(parent)) return insertInto(text, parent, key, value);
  if (path.length === 2 && parent === undefined)
    return appendTop(text, document.contents, `${path[0]}: { ${key}: ${value} }`);
  return null;
}

function pathOf(document: Document, field: RecipeField): (string | number)[] | null {
  if (field === 'samples' || field === 'temperature') {
    const solve = solvePath(document);
    return solve === null ? null : [...solve, field === 'samples' ? 'n' : 'temperature'];
  }
  return field.split('.');
}

/** The first solve step's parameters. */
function solvePath(document: Document): (string | number)[] | null {
  const steps = document.get('steps', true);
  if (typeof steps !== 'object' || steps === null || !('items' in steps)) return null;
  const index = (steps.items as unknown[]).findIndex((item) => isMap(item) && item.has('solve'));
  return index < 0 ? null : ['steps', index, 'solve'];
}

function insertInto(text: string, map: YAMLMap, key: string, value: number): TextEdit | null {
  if (!map.range) return null;
  const last = map.items.at(-1);
  const value_ = last?.value;
  if (map.flow) {
    const end = isNode(value_) && value_.range ? value_.range[1] : map.range[0] + 1;
    return { start: end, end, text: last === undefined ? ` ${key}: ${value} ` : `, ${key}: ${value}` };
  }
  const first = map.items[0];
  if (first === undefined || !isNode(first.key) || !first.key.range) return null;
  const at = first.key.range[0];
  const indent = at - (text.lastIndexOf('\n', at - 1) + 1);
  return { start: at, end: at, text: `${key}: ${value}\n${' '.repeat(indent)}` };
}

/** A new top-level line before `steps`, or at the end where there are none yet. */
function appendTop(text: string, contents: YAMLMap, line: string): TextEdit {
  const steps = contents.items.find((item) => isScalar(item.key) && item.key.value === 'steps');
  if (steps !== undefined && isNode(steps.key) && steps.key.range) {
    const at = steps.key.range[0];
    return { start: at, end: at, text: `${line}\n` };
  }
  return { start: text.length, end: text.length, text: `${text.endsWith('\n') ? '' : '\n'}${line}\n` };
}

function textAt(document: Document, path: readonly string[]): string | null {
  const value = document.getIn(path);
  return typeof value === 'string' ? value : null;
}

function objectiveOf({ objective, model }: Recipe): string {
  return `${objective.ability}, measured by ${objective.metric}, with ${model}`;
}
