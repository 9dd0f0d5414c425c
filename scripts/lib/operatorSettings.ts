// Owns the table of what each operator can be told, from its schema, and where a test runs a loop that says so.
// A test is one that writes the setting into a recipe's step, as it stands or filled in from a table of its own.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { operators, stepParameters, type Operator } from '../../src/core/loop/recipe.ts';
import { root } from './places.ts';

/** A form of an operator, such as `select` over tasks, where its parameters depend on one. */
export interface Setting {
  readonly operator: Operator;
  /** `over: tasks`; '' where the operator has one form. */
  readonly form: string;
  readonly parameter: string;
  readonly value: string;
}

interface Schema {
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

function objectsIn(schema: Schema): readonly Schema[] {
  return schema.properties === undefined
    ? [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(objectsIn)
    : [schema];
}

function wordsOf(schema: Schema): readonly string[] {
  const own = [...(schema.enum ?? []), ...(schema.const === undefined ? [] : [schema.const])];
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.items ? [schema.items] : [])];
  return [...own.filter((word) => typeof word === 'string'), ...inner.flatMap(wordsOf)];
}

/** What the form of an object is told by. */
const FORMS = ['over', 'slot'];

/** Every word a step of any operator may be told, each once. */
export function settings(): readonly Setting[] {
  const found = operators.flatMap((operator) => {
    const schema = z.toJSONSchema(stepParameters[operator], {
      io: 'input',
      unrepresentable: 'any',
    }) as Schema;
    return objectsIn(schema).flatMap(({ properties = {} }) => {
      const teller = FORMS.find((name) => properties[name] !== undefined);
      const forms =
        teller === undefined ? [''] : wordsOf(properties[teller] ?? {}).map((word) => `${teller}: ${word}`);
      return Object.entries(properties)
        .filter(([name]) => name !== teller)
        .flatMap(([parameter, own]) =>
          forms.flatMap((form) => wordsOf(own).map((value) => ({ operator, form, parameter, value }))),
        );
    });
  });
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
}

interface Source {
  /** The test that runs what the text says. */
  readonly test: string;
  readonly text: string;
}

function sources(): readonly Source[] {
  const files = (pattern: string) =>
    globSync(pattern, { cwd: root })
      .sort()
      .map((file) => file.replaceAll('\\', '/'));
  const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
  return [
    ...files('test/loop/*.test.ts').map((test) => ({ test, text: read(test) })),
    { test: 'test/loop/laws.test.ts', text: read('test/fakes/doublingWorld.ts') },
    ...files('media/recipes/*.loop.yaml').map((file) => ({
      test: 'test/loop/recipes/recipes.test.ts',
      text: read(file),
    })),
    ...files('test/unit/core/**/*.test.ts').map((test) => ({ test, text: read(test) })),
  ];
}

/** A step of the operator, with everything in its braces. */
const stepsOf = (text: string, operator: string) =>
  text.match(new RegExp(`- ${operator}:[^\\n]*`, 'g')) ?? [];
const has = (text: string, pattern: string) => new RegExp(pattern).test(text);

function says({ text }: Source, { operator, form, parameter, value }: Setting): boolean {
  const steps = stepsOf(text, operator).filter(
    (step) => form === '' || step.includes(form) || step.includes(`${form.split(':')[0] ?? ''}: \${`),
  );
  const word = `\\b${parameter}: (\\[[^\\]]*)?\\b${value}\\b`;
  // A table of the test's own fills the step in.
  const filled = `\\b${parameter}: (\\[[^\\]]*)?\\$\\{`;
  return steps.some(
    (step) =>
      has(step, word) ||
      (has(step, filled) && has(text, `['"\`]${value}['"\`]|\\b${value}: |${parameter}: ${value}\\b`)) ||
      (has(step, ': \\$\\{\\w+\\}$|\\{ \\$\\{') && has(text, word)),
  );
}

export interface Tested extends Setting {
  /** Two at most; none where the setting is a default that steps need not say, or waits for something. */
  readonly tests: readonly string[];
  readonly isDefault: boolean;
}

function isDefault({ operator, form, parameter, value }: Setting): boolean {
  const [name, word] = form.split(': ');
  const parsed = stepParameters[operator].safeParse(
    name === undefined || word === undefined ? {} : { [name]: word },
  );
  const own = parsed.success ? (parsed.data as Readonly<Record<string, unknown>>)[parameter] : undefined;
  return own === value || (Array.isArray(own) && own.includes(value));
}

export function testedSettings(): readonly Tested[] {
  const all = sources();
  return settings().map((setting) => ({
    ...setting,
    tests: [...new Set(all.filter((source) => says(source, setting)).map(({ test }) => test))].slice(0, 2),
    isDefault: isDefault(setting),
  }));
}
