/**
 * Every built-in recipe that runs on a provider, as shipped, over a model that sees nothing but the request; and every
 * recipe without one of its steps, which must then be refused or miss what the recipe is for.
 */
import { describe, expect, it } from 'vitest';
import { isTrue, knownTask, RULES } from '../../fakes/recipeWorld.ts';
import { taskFiles } from '../../../src/adapters/datasets/taskFiles.ts';
import { estimateRun } from '../../../src/core/loop/estimate.ts';
import { parseRecipe } from '../../../src/core/loop/parseRecipe.ts';
import type { Recipe } from '../../../src/core/loop/recipe.ts';
import {
  mutantsOf,
  RecipeError,
  recipeFolder,
  recipeNames,
  recipeText,
  runRecipe,
  type Outcome,
} from './shippedRecipes.ts';

interface Aim {
  /** The sealed test at the end, at least. */
  readonly final: number;
  /** What else the recipe is for; throws where it is missed. */
  readonly holds?: (outcome: Outcome) => void;
  /** Part of the text, in test's size. */
  readonly small?: readonly [string, string];
}

interface Message {
  readonly content: string;
}
const row = (line: string) =>
  JSON.parse(line) as { messages: Message[]; prompt: Message[]; rejected: Message[] };

/** Task and answer of each row of a written data set. */
const examples = (outcome: Outcome) =>
  outcome.rows.map((line) => {
    const { messages } = row(line);
    return { input: messages.at(-2)?.content ?? '', output: messages.at(-1)?.content ?? '' };
  });

/** A data set was written, and everything in it is right. */
function rightExamples(outcome: Outcome): void {
  const all = examples(outcome);
  expect(all.length).toBeGreaterThan(0);
  for (const { input, output } of all) expect(output).toContain(knownTask(input)?.answer ?? '\0');
}

const judged = ({ requests }: Outcome) =>
  requests.filter(({ messages }) => messages[0]?.content.startsWith('You are a fair and exact judge')).length;

const promises: Readonly<Record<string, Aim>> = {
  'seed-and-evolve': {
    final: 0.9,
    small: ['kCenter, k: 24', 'kCenter, k: 4'],
    holds(outcome) {
      rightExamples(outcome);
      for (const { input } of examples(outcome)) expect(input).not.toContain('Somehow');
      expect(outcome.rows.length).toBeLessThanOrEqual(2 * 4);
      // 12 + 3 P + 4 x 4 calls a round for 6 different tasks, the dev suite three times, the test twice.
      expect(outcome.requests.length).toBeLessThanOrEqual(2 * (12 + 3 * 6 + 4 * 4) + 3 * 24 + 2 * 16);
    },
  },
  'grounded-foundry': {
    final: 0.6,
    holds(outcome) {
      const memory = outcome.state?.memory ?? [];
      for (const { text } of memory) expect(isTrue(text)).toBe(true);
      const kept = outcome.events.flatMap((event) => (event.kind === 'tasksSelected' ? [event.kept] : []));
      expect(judged(outcome)).toBeLessThanOrEqual(kept.reduce((sum, count) => sum + count, 0));
    },
  },
  'vote-and-remember': { final: 0.9 },
  'hint-and-retry': {
    final: 0.9,
    holds(outcome) {
      rightExamples(outcome);
      const hinted = outcome.requests.filter(({ messages }) =>
        messages.at(-1)?.content.includes('Known answer:'),
      );
      for (const { messages } of hinted)
        expect(knownTask(messages.at(-1)?.content ?? '')?.kind).not.toBe('discount');
      for (const line of outcome.rows) expect(line).not.toContain('Known answer:');
    },
  },
  'constitution-refine': {
    final: 0.9,
    holds(outcome) {
      rightExamples(outcome);
      expect(outcome.rows.length).toBeGreaterThanOrEqual(2 * 20);
      const added = (outcome.state?.instruction ?? '').split('\n- ').slice(1);
      for (const line of added) expect(Object.values(RULES)).toContain(line);
      expect(outcome.events.some(({ kind }) => kind === 'reportMade')).toBe(true);
    },
  },
  reflexion: { final: 0.9 },
  playbook: { final: 0.9 },
  'self-talk': {
    final: 0.9,
    holds(outcome) {
      expect(outcome.rows.length).toBeGreaterThan(0);
      for (const { input, output } of examples(outcome)) {
        expect(output).toContain(knownTask(input)?.answer ?? '\0');
        expect(output).not.toContain('As a program');
        expect(output).not.toContain('Guest:');
      }
    },
  },
  'contrast-pairs': {
    final: 0.7,
    holds(outcome) {
      expect(outcome.rows.length).toBeGreaterThan(15);
      for (const line of outcome.rows) {
        expect(row(line).rejected[0]?.content).toContain('never mind');
        expect(row(line).prompt.at(-1)?.content).not.toContain('looks right to a careless reader');
      }
    },
  },
  'pareto-prompt': {
    final: 0.7,
    holds(outcome) {
      // On 3 tasks, not 36; drafts that do not beat their parents on them are never scored in full.
      expect(outcome.requests.length).toBeLessThanOrEqual(10 * (3 + 3 + 3 * 3 * 3 + 12));
      const made = outcome.events.flatMap((event) =>
        event.kind === 'candidateMade' ? [`${event.at.round} ${event.candidateId}`] : [],
      );
      const inFull = made.filter((place) =>
        outcome.events.some(
          (event) =>
            event.kind === 'evaluationMade' &&
            event.suite === 'dev' &&
            `${event.at.round} ${event.candidateId}` === place,
        ),
      );
      expect(inFull.length).toBeLessThan(made.length);
    },
  },
  'frontier-curriculum': {
    final: 0.9,
    holds(outcome) {
      expect(outcome.pauses).toBeGreaterThan(0);
      rightExamples(outcome);
      for (const { input } of examples(outcome)) expect(input).toContain('Practice');
    },
  },
};

const textOf = (name: string) => {
  const [from, to] = promises[name]?.small ?? ['', ''];
  const text = recipeText(name);
  expect(text).toContain(from);
  return from === '' ? text : text.replace(from, to);
};

const noHistory = { operators: new Map(), msPerCall: null };

/** The calls a whole run takes, as its head says: "230 to 620 calls in 2 rounds", "about 550 calls in 1 round". */
function saidCalls(name: string): { readonly low: number; readonly high: number; readonly rounds: number } {
  const said =
    /^# Run: (about )?([\d ]+?)(?: to ([\d ]+))? calls in (\d+) rounds?\b/m.exec(recipeText(name)) ?? [];
  const whole = (digits = '') => Number(digits.replaceAll(' ', ''));
  const [, about, from, to, rounds] = said;
  return about === undefined
    ? { low: whole(from), high: whole(to), rounds: Number(rounds) }
    : { low: 0.95 * whole(from), high: 1.05 * whole(from), rounds: Number(rounds) };
}

function keepsItsPromise(name: string, outcome: Outcome): void {
  const { final, holds } = promises[name] as Aim;
  expect(outcome.message).toContain('%');
  expect(outcome.end).toBe('done');
  const accepted = outcome.events.flatMap((event) => (event.kind === 'candidateAccepted' ? [event] : []));
  expect(accepted.length).toBeGreaterThan(0);
  for (const { gain } of accepted) expect(gain?.interval.low).toBeGreaterThan(0);
  expect(outcome.final).toBeGreaterThanOrEqual(final);
  expect((outcome.final ?? 0) - (outcome.start ?? 1)).toBeGreaterThanOrEqual(0.35);
  holds?.(outcome);
}

/** Whether the recipe is refused before it spends anything, or runs and misses what it is for. */
async function misses(name: string, text: string): Promise<boolean> {
  try {
    keepsItsPromise(name, await runRecipe(text));
  } catch (error) {
    if (error instanceof RecipeError || (error instanceof Error && error.name === 'AssertionError'))
      return true;
    throw error;
  }
  return false;
}

describe.each(Object.keys(promises))('the recipe %s', (name) => {
  it('runs to the end and is really better, with as many calls as it says', async () => {
    const outcome = await runRecipe(textOf(name));
    keepsItsPromise(name, outcome);
    const { low, high, rounds } = saidCalls(name);
    expect(outcome.requests.length).toBeGreaterThanOrEqual(low);
    expect(outcome.requests.length).toBeLessThanOrEqual(high);
    expect(recipeText(name)).toContain(`\nrounds: ${rounds}\n`);
  });

  it('is not estimated to take fewer calls than it says', async () => {
    const { recipe } = parseRecipe(recipeText(name));
    const { calls } = await estimateRun(recipe as Recipe, taskFiles(recipeFolder), null, noHistory);
    const { low, high } = saidCalls(name);
    expect(calls.high).toBeGreaterThanOrEqual(low);
    expect(calls.low).toBeLessThanOrEqual(high);
  });

  it('needs every one of its steps', async () => {
    const idle: string[] = [];
    for (const { without, text } of mutantsOf(textOf(name)))
      if (!(await misses(name, text))) idle.push(without);
    expect(idle).toEqual([]);
  });
});

describe('the recipes beside them', () => {
  it('has one that waits for the sandbox, and nothing else is wrong with it', () => {
    const { problems } = parseRecipe(recipeText('test-driven'));
    expect(problems.length).toBe(2);
    for (const { message } of problems) expect(message).toContain('sandbox');
    expect(recipeText('test-driven')).toMatch(/^# Waits: \S/m);
  });

  it.each(recipeNames)('%s says what it is for, follows, costs and needs', (name) => {
    const text = recipeText(name);
    for (const part of ['Objective', 'Method', 'Published', 'Cells', 'Cost', 'Needs'])
      expect(text).toMatch(new RegExp(`^# ${part}: \\S`, 'm'));
    // What can run says what a run takes; what cannot says why.
    expect(text).toMatch(name === 'test-driven' ? /^# Waits: \S/m : /^# Run: [\w ]+ calls\b/m);
    if (name !== 'test-driven') expect(parseRecipe(text).problems).toEqual([]);
    expect(promises[name] !== undefined || name === 'test-driven' || text.includes('\nmodel: pocket')).toBe(
      true,
    );
  });
});
