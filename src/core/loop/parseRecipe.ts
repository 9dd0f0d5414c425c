/**
 * Owns reading a recipe's text: YAML, schema, then the check of its steps, with the line of every fault.
 * Deliberately never guesses: a text with a problem gives no recipe.
 */
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import type { RecipeProblem } from '../model/recipeView.ts';
import { checkSteps } from './check.ts';
import {
  operators,
  operatorSteps,
  recipeHead,
  stepParameters,
  type Operator,
  type OperatorStep,
  type Recipe,
  type Step,
} from './recipe.ts';
import { loopParameters } from './schema/loop.ts';

export interface ParsedRecipe {
  readonly recipe: Recipe | null;
  readonly problems: readonly RecipeProblem[];
}

type Path = readonly (string | number)[];
/** A fault before it has a line. */
export interface Fault {
  readonly path: Path;
  readonly message: string;
}

const MAX_BYTES = 1_000_000;

export function parseRecipe(text: string): ParsedRecipe {
  if (text.length > MAX_BYTES) {
    return {
      recipe: null,
      problems: [{ path: '', message: 'A recipe is at most 1 MB of text.', line: 1, column: 1 }],
    };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      path: '',
      message: error.message,
      ...at(error.pos[0]),
    }));
    return { recipe: null, problems };
  }
  const value = plainValue(document);
  const faults: Fault[] = [];
  const recipe = value.ok ? readRecipe(value.value, faults) : null;
  if (!value.ok) faults.push({ path: [], message: value.message });
  const problems = faults.map(({ path, message }) => ({
    path: pathText(path),
    message,
    ...at(offsetOf(document, path)),
  }));
  return { recipe: problems.length === 0 ? recipe : null, problems };
}

/** Aliases are expanded here, so a bomb of aliases ends here too. */
function plainValue(document: Document): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

function readRecipe(value: unknown, faults: Fault[]): Recipe | null {
  const head = recipeHead.safeParse(value);
  if (!head.success) faults.push(...faultsOf(head.error, []));
  const rawSteps = (value as { steps?: unknown } | null)?.steps;
  const steps = Array.isArray(rawSteps) ? rawSteps.map((raw, index) => readStep(raw, index, faults)) : [];
  if (!head.success || steps.some((step) => step === null)) return null;
  const { name, objective, instruction, data, model, rounds, seed, budget, control, description } = head.data;
  const { mode, cache, threshold } = head.data;
  const recipe: Recipe = {
    name,
    objective,
    instruction,
    rounds,
    seed,
    budget,
    mode,
    cache,
    description: description ?? '',
    threshold: threshold ?? null,
    model,
    judge: head.data.judge ?? null,
    embedder: head.data.embedder ?? null,
    retrieval: head.data.retrieval,
    archive: head.data.population?.archive ?? 'none',
    islands: {
      count: head.data.population?.islands ?? 1,
      ...(head.data.population?.migrate ?? { every: 5, best: 1 }),
    },
    data: typeof data === 'string' ? { file: data } : data,
    steps: withGate(steps as Step[]),
    controlWithout: null,
  };
  const without = control === undefined ? null : namedSteps(control.without, recipe.steps, faults);
  const complete = { ...recipe, controlWithout: without };
  faults.push(...checkSteps(complete));
  return complete;
}

/** One step: an operator or a loop of such. */
function readStep(raw: unknown, index: number, faults: Fault[]): Step | null {
  const here: Path = ['steps', index];
  const isLoop = typeof raw === 'object' && raw !== null && 'loop' in raw;
  if (!isLoop) return readOperator(raw, here, `${index + 1}`, faults);
  const parsed = loopParameters.safeParse(raw);
  if (!parsed.success) {
    faults.push(...faultsOf(parsed.error, here));
    return null;
  }
  const { max, until, do: inner } = parsed.data.loop;
  const path = parsed.data.as ?? `${index + 1}.loop`;
  const steps = inner.map((item, place) =>
    readOperator(item, [...here, 'loop', 'do', place], `${index + 1}.${place + 1}`, faults),
  );
  return steps.some((step) => step === null)
    ? null
    : { path, operator: 'loop', max, until, steps: steps as OperatorStep[] };
}

/** An operator with its parameters, perhaps a name (`as:`) and whose outputs it reads (`from:`). */
function readOperator(raw: unknown, here: Path, place: string, faults: Fault[]): OperatorStep | null {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    faults.push({
      path: here,
      message: `A step is an operator with its parameters, for example "- solve: { n: 4 }".`,
    });
    return null;
  }
  const { as: name, from, ...rest } = raw as Record<string, unknown>;
  const keys = Object.keys(rest);
  const operator = keys[0];
  if (keys.length !== 1 || operator === undefined || !(operators as readonly string[]).includes(operator)) {
    const found = keys.length === 0 ? 'none' : keys.map((key) => `"${key}"`).join(' and ');
    faults.push({
      path: keys.length === 1 ? [...here, operator ?? ''] : here,
      message: `A step has one operator (${operators.join(', ')}); this one has ${found}.`,
    });
    return null;
  }
  if (name !== undefined && (typeof name !== 'string' || !/^[A-Za-z][\w-]{0,60}$/.test(name))) {
    faults.push({
      path: [...here, 'as'],
      message: 'A name is a letter followed by letters, digits, "-" or "_".',
    });
    return null;
  }
  const sources = typeof from === 'string' ? [from] : (from ?? []);
  if (!Array.isArray(sources) || !sources.every((item) => typeof item === 'string')) {
    faults.push({
      path: [...here, 'from'],
      message: 'Write the name of an earlier step, or a list of such.',
    });
    return null;
  }
  const parsed = stepParameters[operator as Operator].safeParse(rest[operator] ?? {});
  if (!parsed.success) {
    faults.push(...faultsOf(parsed.error, [...here, operator]));
    return null;
  }
  const path = typeof name === 'string' ? name : `${place}.${operator}`;
  return { path, operator, with: parsed.data, from: sources } as OperatorStep;
}

/** Only `select` over candidates moves the pointer (law 1): a recipe that updates and has no gate gets the default one. */
function withGate(steps: Step[]): Step[] {
  const all = operatorSteps(steps);
  const updates = all.some((step) => step.operator === 'update');
  const gated = all.some(
    (step) => step.operator === 'select' && step.with.over === 'candidates' && step.with.policy === 'gate',
  );
  if (!updates || gated) return steps;
  return [
    ...steps,
    {
      path: 'gate',
      operator: 'select',
      with: { over: 'candidates', policy: 'gate', confidence: 0.95, maxLoss: 0.02 },
      from: [],
    },
  ];
}

/** A name is a step's `as:`, or an operator, which means every step of that operator. */
function namedSteps(names: readonly string[], steps: readonly Step[], faults: Fault[]): string[] {
  return names.flatMap((name, index) => {
    const found = operatorSteps(steps)
      .filter((step) => step.path === name || step.operator === name)
      .map((step) => step.path);
    if (found.length === 0) {
      faults.push({ path: ['control', 'without', index], message: `No step is called "${name}".` });
    }
    return found;
  });
}

function faultsOf(error: z.ZodError, base: Path): Fault[] {
  return error.issues.flatMap((issue): Fault[] => {
    const path = [...base, ...issue.path.filter((part) => typeof part !== 'symbol')];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key], message: `"${key}" is not known here.` }));
    }
    if (issue.code === 'invalid_union') {
      const closest = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
      if (closest !== undefined && closest.length > 0 && depth(closest) > 0) {
        return closest.map((inner) => ({
          path: [...path, ...inner.path.filter((part) => typeof part !== 'symbol')],
          message: sentence(inner.message),
        }));
      }
    }
    return [{ path, message: sentence(issue.message) }];
  });
}

function depth(issues: readonly { readonly path: readonly PropertyKey[] }[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function sentence(message: string): string {
  return message.endsWith('.') ? message : `${message}.`;
}

function pathText(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
}

/** Offset of the deepest part of the path the text has: the key itself where there is one. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last);
      if (pair !== undefined && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
