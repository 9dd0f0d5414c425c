/**
 * Owns what the Experiences view is filtered by: asked condition by condition, shown in the view's title, and cleared.
 * Each answer counts at once. Deliberately finds nothing itself: the tree's source asks for what fits.
 */
import * as vscode from 'vscode';
import {
  noConditions,
  readRounds,
  readScoreCondition,
  sayConditions,
  sayEach,
  searchOf,
  verdictWords,
  type Conditions,
  type ShownVerdict,
} from '../experiences/conditions.ts';
import { contextKeys } from '../ids.ts';
import type { Shell } from '../shell.ts';
import type { CommandHandlers } from './commandHandlers.ts';

export interface ExperienceFilterState {
  /** The search rows must meet; '' for all. */
  readonly search: () => string;
  /** Shows only what this search finds; further conditions can be added to it. */
  readonly filterBy: (text: string) => Promise<void>;
  readonly commands: CommandHandlers<'ratchet.filterExperiences' | 'ratchet.clearFilter'>;
}

type Part = keyof Conditions;

const labels: Readonly<Record<Part, string>> = {
  text: 'Text',
  verdict: 'Verdict',
  rounds: 'Round',
  score: 'Score',
  judged: 'Judged by You',
  arm: 'Arm',
};
const order: readonly Part[] = ['text', 'verdict', 'rounds', 'score', 'judged', 'arm'];

/** One of some values, or none of them; undefined when a person left without an answer. */
async function oneOf<Value>(
  title: string,
  now: Value | null,
  values: readonly (readonly [value: Value | null, label: string])[],
): Promise<Value | null | undefined> {
  const items = values.map(([value, label]) => ({
    value,
    label,
    ...(value === now ? { description: 'now' } : {}),
  }));
  return (await vscode.window.showQuickPick(items, { title }))?.value;
}

async function typed(
  title: string,
  prompt: string,
  value: string,
  read: (text: string) => string | null,
  wrong: string,
): Promise<string | undefined> {
  const text = await vscode.window.showInputBox({
    title,
    prompt,
    value,
    validateInput: (input) => (read(input) === null ? wrong : undefined),
  });
  return text === undefined ? undefined : (read(text) ?? undefined);
}

const verdictChoices = (Object.keys(verdictWords) as ShownVerdict[]).map(
  (verdict) => [verdict, verdictWords[verdict]] as const,
);

/** The conditions with one asked anew; undefined when a person left without an answer. */
async function asked(part: Part, now: Conditions): Promise<Conditions | undefined> {
  const title = `Filter Experiences: ${labels[part]}`;
  const changed = <Key extends Part>(key: Key, value: Conditions[Key] | undefined) =>
    value === undefined ? undefined : { ...now, [key]: value };
  switch (part) {
    case 'verdict':
      return changed('verdict', await oneOf(title, now.verdict, [[null, 'Any'], ...verdictChoices]));
    case 'arm':
      return changed(
        'arm',
        await oneOf(title, now.arm, [
          [null, 'Any'],
          ['main', 'Loop'],
          ['control', 'Control'],
        ]),
      );
    case 'judged':
      return changed(
        'judged',
        await oneOf(title, now.judged, [
          [null, 'Any'],
          [true, 'Judged by you'],
          [false, 'Not judged by you'],
        ]),
      );
    case 'rounds': {
      const prompt = 'A round, such as 3, or rounds, such as 2-5. Empty for any.';
      const wrong = 'Write a round, such as 3, or rounds, such as 2-5.';
      return changed('rounds', await typed(title, prompt, now.rounds, readRounds, wrong));
    }
    case 'score': {
      const prompt = '<0.5, >=80 %, 1, or none for what has no score. Empty for any.';
      const wrong = 'Write a score, such as <0.5, >=80 %, 1 or none.';
      return changed('score', await typed(title, prompt, now.score, readScoreCondition, wrong));
    }
    case 'text': {
      const prompt = 'In the task or the reply: words, "words in a row", beginn*. Empty for any.';
      return changed('text', await typed(title, prompt, now.text, (text) => text.trim(), ''));
    }
  }
}

/** The part a person chooses to change, or 'clear'; undefined when they are done. */
async function chosen(now: Conditions): Promise<Part | 'clear' | undefined> {
  const words = sayEach(now);
  const isAny = sayConditions(now) === '';
  const parts = order.map((part) => ({
    part,
    label: labels[part],
    description: words[part] === '' ? 'any' : words[part],
  }));
  const clear = { part: 'clear' as const, label: '$(clear-all) Clear Filter', description: '' };
  const choice = await vscode.window.showQuickPick([...parts, ...(isAny ? [] : [clear])], {
    title: isAny ? 'Filter Experiences' : `Filter Experiences: ${sayConditions(now)}`,
    placeHolder: 'Choose what to filter by; Escape when done',
  });
  return choice?.part;
}

/** `changed` is called when other rows are to be shown. */
export function createExperienceFilter(
  { trees }: Pick<Shell, 'trees'>,
  changed: () => void,
): ExperienceFilterState {
  let conditions = noConditions;
  const use = async (next: Conditions): Promise<void> => {
    if (searchOf(next) === searchOf(conditions)) return;
    conditions = next;
    const { view } = trees['ratchet.experiences'];
    const words = sayConditions(conditions);
    view.description = words === '' ? '' : `Filtered: ${words}`;
    changed();
    await vscode.commands.executeCommand('setContext', contextKeys.experiencesFiltered, words !== '');
  };
  const ask = async (): Promise<void> => {
    for (;;) {
      const part = await chosen(conditions);
      if (part === undefined) return;
      if (part === 'clear') return use(noConditions);
      const next = await asked(part, conditions);
      if (next !== undefined) await use(next);
    }
  };
  return {
    search: () => searchOf(conditions),
    filterBy: async (text) => {
      await use({ ...noConditions, text: text.trim() });
      await vscode.commands.executeCommand('ratchet.experiences.focus');
    },
    commands: {
      'ratchet.filterExperiences': ask,
      'ratchet.clearFilter': () => use(noConditions),
    },
  };
}
