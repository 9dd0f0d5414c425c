// Owns the table of the survey's taxonomy: its 22 cells, the operator setting that is each, and the built-in recipes that use
// it. A recipe's claim (its "# Cells:" line) is checked against its steps, so that the table says only what is there.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { testedSettings } from './operatorSettings.ts';
import { root } from './places.ts';

type Settings = Readonly<Record<string, unknown>>;
export interface RawStep {
  readonly operator: string;
  readonly with: Settings;
}

export interface Shipped {
  readonly name: string;
  readonly cells: readonly string[];
  readonly onPocket: boolean;
  readonly steps: readonly RawStep[];
}

interface Cell {
  readonly code: string;
  readonly phase: string;
  readonly name: string;
  /** The setting, as a recipe writes it. */
  readonly setting: string;
  readonly uses: (step: RawStep) => boolean;
}

const is =
  (operator: string, test: (settings: Settings) => boolean) =>
  (step: RawStep): boolean =>
    step.operator === operator && test(step.with);
const among = (value: unknown, ...names: readonly string[]) => names.includes(String(value));
const any =
  (...tests: readonly ((step: RawStep) => boolean)[]) =>
  (step: RawStep) =>
    tests.some((test) => test(step));
const filled = (value: unknown) => Array.isArray(value) && value.length > 0;

/** In the order of the survey; its 22 leaves. */
export const cells: readonly Cell[] = [
  cell(
    'TKB',
    'acquire',
    'tasks, knowledge-based',
    '`propose: { source: document \\| topic }`',
    is('propose', ({ source }) => among(source, 'document', 'topic')),
  ),
  cell(
    'TKF',
    'acquire',
    'tasks, knowledge-free',
    '`propose: { source: pool \\| parent \\| empty }`, drafts of an instruction',
    any(
      is('propose', ({ source }) => among(source, 'pool', 'parent', 'empty')),
      is('revise', ({ over }) => over === 'instruction'),
    ),
  ),
  cell(
    'TSel',
    'acquire',
    'tasks, selective',
    '`select: { over: tasks }`',
    is('select', ({ over }) => over === 'tasks'),
  ),
  cell(
    'SRat',
    'acquire',
    'solutions, rationale-based',
    '`solve: { style: cot }`, a scratchpad on Pocket',
    is('solve', ({ style, maxTokens }) => style === 'cot' || maxTokens === 80),
  ),
  cell(
    'SInt',
    'acquire',
    'solutions, interactive',
    '`solve: { tools, maxTurns }`, or a loop around running code',
    any(
      is('solve', ({ tools }) => filled(tools)),
      is('assess', ({ source }) => source === 'environment'),
    ),
  ),
  cell(
    'SSP',
    'acquire',
    'solutions, self-play',
    '`solve: { roles }`, two or more',
    is('solve', ({ roles }) => filled(roles)),
  ),
  cell(
    'SGr',
    'acquire',
    'solutions, grounded',
    '`solve: { context }`, memory in the prompt',
    any(
      is('solve', ({ context }) => filled(context)),
      is('update', ({ slot }) => slot === 'memory'),
    ),
  ),
  cell(
    'SCon',
    'acquire',
    'solutions, contrastive',
    '`pack: { form: pairs }` from `solve: { n: 2 or more }`',
    is('pack', ({ form }) => form === 'pairs'),
  ),
  cell(
    'SPer',
    'acquire',
    'solutions, perturbative',
    '`solve: { negated }`',
    is('solve', ({ negated }) => negated !== undefined && negated !== false),
  ),
  cell(
    'FM',
    'acquire',
    'feedback of a model',
    '`assess: { source: judge \\| pairs }`',
    is('assess', ({ source }) => among(source, 'judge', 'pairs')),
  ),
  cell(
    'FE',
    'acquire',
    'feedback of the environment',
    '`assess: { source: metric }` by a checker; `environment` waits for the sandbox',
    is('assess', ({ source }) => among(source, 'metric', 'environment', 'dualExecution')),
  ),
  cell(
    'RfMB',
    'refine',
    'filtering, metric-based',
    '`select: { policy: threshold \\| band \\| distinct \\| extremes }` on a score, success by score',
    any(
      is(
        'select',
        ({ policy, over }) =>
          over !== 'candidates' && among(policy, 'threshold', 'band', 'distinct', 'extremes'),
      ),
      is('update', ({ op }) => op === 'forget'),
    ),
  ),
  cell(
    'RfMF',
    'refine',
    'filtering, metric-free',
    '`assess: { source: vote \\| backward \\| dualExecution }`',
    is('assess', ({ source }) => among(source, 'vote', 'backward', 'dualExecution')),
  ),
  cell(
    'CoCB',
    'refine',
    'correcting, critique-based',
    '`revise: { mode: critique \\| reflect }`',
    is('revise', ({ mode }) => among(mode, 'critique', 'reflect')),
  ),
  cell(
    'CoCF',
    'refine',
    'correcting, critique-free',
    '`revise: { mode: critiqueFree \\| hint \\| edit }`',
    is('revise', ({ mode }) => among(mode, 'critiqueFree', 'hint', 'edit')),
  ),
  cell(
    'UwRep',
    'update',
    'in-weight, replay',
    '`pack: { replay }`',
    is('pack', ({ replay }) => replay !== undefined),
  ),
  cell(
    'UwReg',
    'update',
    'in-weight, regularisation',
    '`pack: { form: pairs }` for DPO, `update: { slot: weights, beta }`',
    is('pack', ({ form }) => form === 'pairs'),
  ),
  cell(
    'UwArc',
    'update',
    'in-weight, architecture',
    '`update: { slot: weights, op: average }`, model soups',
    is('update', ({ op }) => op === 'average'),
  ),
  cell(
    'UcExt',
    'update',
    'in-context, external memory',
    '`update: { slot: memory }`',
    is('update', ({ slot }) => slot === 'memory'),
  ),
  cell(
    'UcWork',
    'update',
    'in-context, working memory',
    '`update: { slot: scratch }`',
    is('update', ({ slot }) => slot === 'scratch'),
  ),
  cell(
    'EvQn',
    'evaluate',
    'quantitative',
    '`evaluate`',
    is('evaluate', () => true),
  ),
  cell(
    'EvQl',
    'evaluate',
    'qualitative',
    '`evaluate: { report: true }`',
    is('evaluate', ({ report }) => report === true),
  ),
];

function cell(code: string, phase: string, name: string, setting: string, uses: Cell['uses']): Cell {
  return { code, phase, name, setting, uses };
}

type Raw = Readonly<Record<string, unknown>> & { readonly loop?: { readonly do: readonly Raw[] } };

function stepsOf(raw: readonly Raw[]): readonly RawStep[] {
  return raw.flatMap((step): readonly RawStep[] => {
    if (step.loop !== undefined) return stepsOf(step.loop.do);
    const operator = Object.keys(step).find((key) => key !== 'as' && key !== 'from') ?? '';
    return [{ operator, with: (step[operator] ?? {}) as Settings }];
  });
}

export function shippedRecipes(): readonly Shipped[] {
  const folder = path.join(root, 'media', 'recipes');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.loop.yaml'))
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(folder, file), 'utf8');
      const said = /^# Cells: (.+)$/m.exec(text)?.[1] ?? '';
      const { steps } = parse(text) as { steps: readonly Raw[] };
      return {
        name: file.slice(0, -'.loop.yaml'.length),
        cells: said.trim().split(/\s+/),
        onPocket: /^model: pocket$/m.test(text),
        steps: stepsOf(steps),
      };
    });
}

/** Where a recipe's claims are tested. */
function testOf({ onPocket }: Shipped): string {
  return `test/loop/recipes/${onPocket ? 'pocketForms' : 'recipes'}.test.ts`;
}

/** Every word an operator can be told, a row for each of its parameters. */
function settingsTable(): readonly string[] {
  const rows = Map.groupBy(testedSettings(), ({ operator, form, parameter }) =>
    [operator, form, parameter].join('|'),
  );
  return [
    '# The operators, setting by setting',
    '',
    'What each operator can be told, from its schema, and a test that runs a loop which says so; in italics what it does where',
    'nothing is said. What the sandbox is still needed for is refused with the reason (test/loop/laws.test.ts).',
    '',
    '| operator | parameter | settings | tests |',
    '|---|---|---|---|',
    ...[...rows.values()].map((group) => {
      const [first] = group;
      const words = group.map(({ value, isDefault }) => (isDefault ? `*${value}*` : value)).join(', ');
      const tests = [...new Set(group.flatMap(({ tests: own }) => own.slice(0, 1)))].sort().join(', ');
      const operator = [first?.operator ?? '', first?.form ?? ''].filter((part) => part !== '').join(' ');
      return `| ${operator} | ${first?.parameter ?? ''} | ${words} | ${tests} |`;
    }),
  ];
}

/** The document, whole. */
export function taxonomyText(): string {
  const recipes = shippedRecipes();
  const rows = cells.map(({ code, phase, name, setting }) => {
    const users = recipes.filter((recipe) => recipe.cells.includes(code));
    const tests = [...new Set(users.map(testOf))];
    const named = users.length === 0 ? 'none yet' : users.map((recipe) => recipe.name).join(', ');
    return `| ${code} | ${phase}: ${name} | ${setting} | ${named} | ${tests.join(', ')} |`;
  });
  return [
    '# The taxonomy, cell by cell',
    '',
    'Which setting of which operator each of the 22 cells of the survey (Tao et al. 2024, arXiv 2404.14387) is,',
    'which built-in recipe uses it, and where that recipe is tested. Made by',
    '`npm run docs:taxonomy` from the recipes; a test holds it to them.',
    '',
    '| cell | what | setting | recipes | tests |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    ...settingsTable(),
    '',
  ].join('\n');
}
