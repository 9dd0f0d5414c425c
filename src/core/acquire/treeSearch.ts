/**
 * Owns search over prefixes of a solution: a tree whose nodes are steps of reasoning, each valued by the model, the most
 * promising one taken further first (Tree of Thoughts, Yao et al. 2023, with its values and best-first order). A branch
 * that turns out worse than one left before is left for it: that is backtracking. Pure; deliberately asks nothing itself.
 */
import type { Task } from '../model/task.ts';
import { extractAnswer } from '../prompt/answer.ts';
import type { PromptMessage } from '../prompt/messages.ts';
import { judgeSolution, readJudgement } from './judge.ts';

/** A prefix of a solution. */
export interface Thought {
  readonly steps: readonly string[];
  /** In [0, 1]: how likely it leads to a right answer, as the model values it. */
  readonly value: number;
  /** It states a final answer. */
  readonly final: boolean;
}

export interface Tree {
  /** Not yet taken further, in the order they were made. */
  readonly open: readonly Thought[];
  readonly expanded: number;
}

export interface SearchLimits {
  /** Steps of a solution at most. */
  readonly depth: number;
  /** Thoughts taken further at most. */
  readonly expansions: number;
}

export const seedTree: Tree = {
  open: [{ steps: [], value: 1, final: false }],
  expanded: 0,
};

/** The most promising; among equals the one further on, then the older. */
function best(thoughts: readonly Thought[]): Thought | null {
  return thoughts.reduce<Thought | null>(
    (first, next) =>
      first === null ||
      next.value > first.value ||
      (next.value === first.value && next.steps.length > first.steps.length)
        ? next
        : first,
    null,
  );
}

/** The thought to take further next; null where the search is over (`outcome` then says where it ended). */
export function nextThought({ open, expanded }: Tree, limits: SearchLimits): Thought | null {
  if (expanded >= limits.expansions) return null;
  const thought = best(open.filter(({ steps, final }) => final || steps.length < limits.depth));
  return thought === null || thought.final ? null : thought;
}

/** The tree once the thought was taken further; equal children are one. */
export function grown(tree: Tree, parent: Thought, children: readonly Thought[]): Tree {
  const fresh = new Map(children.map((child) => [child.steps.join('\n'), child]));
  const open = [...tree.open.filter((thought) => thought !== parent), ...fresh.values()];
  return { ...tree, open, expanded: tree.expanded + 1 };
}

/** Where the search ends: the best final answer, else the best prefix; null where there is none at all. */
export function outcome({ open }: Tree): Thought | null {
  return best(open.filter(({ final }) => final)) ?? best(open.filter(({ steps }) => steps.length > 0));
}

const STEP =
  'Write the next step only, in one short paragraph. If nothing is left to do, write the final answer on a line after "Answer:" instead.';

/** Asks for one step after these. */
export function stepMessages(
  attempt: readonly PromptMessage[],
  steps: readonly string[],
): readonly PromptMessage[] {
  const final = attempt.at(-1);
  if (final === undefined) return attempt;
  if (steps.length === 0)
    return [...attempt.slice(0, -1), { ...final, content: `${final.content}\n\n${STEP}` }];
  return [...attempt, { role: 'assistant', content: steps.join('\n') }, { role: 'user', content: STEP }];
}

/** Null where the reply holds no step. */
export function readStep(reply: string): { readonly text: string; readonly final: boolean } | null {
  const text = reply.trim();
  return text === '' ? null : { text, final: extractAnswer(text, { after: 'Answer:' }) !== null };
}

const SCALE = 10;
const RUBRIC =
  'The answer may be unfinished. How likely does what is there lead to a right final answer? Low where a step is wrong or leads nowhere.';

/** The reference stays out of it: the solver must not be guided by what it is to find. */
export function valueMessages(
  { reference: _hidden, ...task }: Task,
  steps: readonly string[],
): PromptMessage[] {
  return judgeSolution(task, steps.join('\n'), RUBRIC, { scale: SCALE, critique: false });
}

/** In [0, 1]; 0 where the reply cannot be read. */
export function readValue(reply: string): number {
  return readJudgement(reply, SCALE)?.score ?? 0;
}
