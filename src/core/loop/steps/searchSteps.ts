/** Owns how the search over prefixes runs inside a round: all trees grow together, an expansion a turn. Judges nothing itself. */
import type { Draw } from '../../acquire/solve.ts';
import {
  grown,
  nextThought,
  outcome,
  readStep,
  readValue,
  seedTree,
  stepMessages,
  valueMessages,
  type Thought,
  type Tree,
} from '../../acquire/treeSearch.ts';
import { streamSeed } from '../../measure/random.ts';
import type { TokenUsage } from '../../model/task.ts';
import type { ModelAnswer } from '../../ports.ts';
import type { SolveParameters } from '../recipe.ts';
import type { StepContext } from '../stepContext.ts';

export type SearchParameters = NonNullable<SolveParameters['search']>;

interface Growing {
  readonly draw: Draw;
  readonly tree: Tree;
  readonly usage: TokenUsage;
  /** The newest answer of the model, for its name. */
  readonly model: string;
}

interface Child {
  readonly of: number;
  readonly parent: Thought;
  readonly steps: readonly string[];
  readonly final: boolean;
}

/** The answer each draw's search came to: its steps, a line each, with the usage of all calls. */
export async function searchSolutions(
  context: StepContext,
  draws: readonly Draw[],
  parameters: SearchParameters,
): Promise<readonly ModelAnswer[]> {
  let trees: readonly Growing[] = draws.map((draw) => ({
    draw,
    tree: seedTree,
    usage: { input: 0, output: 0 },
    model: '',
  }));
  for (let turn = 0; turn < parameters.expansions; turn++) {
    const next = await grow(context, trees, turn, parameters);
    if (next === null) break;
    trees = next;
  }
  return trees.map(({ tree, usage, model }): ModelAnswer => {
    const thought = outcome(tree);
    if (thought === null) return { ok: false, reason: 'the search came to no step' };
    const text = thought.steps.join('\n');
    return { ok: true, text, finish: thought.final ? 'stop' : 'length', usage, model, requestId: null };
  });
}

/** Every open tree by one expansion: its children are asked for, then valued. Null when no tree is open. */
async function grow(
  context: StepContext,
  trees: readonly Growing[],
  turn: number,
  parameters: SearchParameters,
): Promise<readonly Growing[] | null> {
  const open = trees.flatMap(({ draw, tree }, of) => {
    const thought = nextThought(tree, parameters);
    return thought === null ? [] : [{ of, draw, thought }];
  });
  if (open.length === 0) return null;
  const steps = open.flatMap(({ of, draw, thought }) =>
    Array.from({ length: parameters.breadth }, (_, branch) => ({ of, draw, thought, branch })),
  );
  const replies = await context.ask(
    context.at.round,
    steps.map(({ draw, thought, branch }) => ({
      item: placeOf(draw, turn),
      sample: branch,
      input: draw.task.input,
      request: {
        ...draw.request,
        messages: stepMessages(draw.request.messages, thought.steps),
        seed: streamSeed(draw.request.seed, 'step', turn, branch),
      },
    })),
  );
  const children = steps.flatMap(({ of, thought }, index): Child[] => {
    const answer = replies[index];
    const read = answer?.ok === true ? readStep(answer.text) : null;
    return read === null
      ? []
      : [{ of, parent: thought, steps: [...thought.steps, read.text], final: read.final }];
  });
  const values = await context.ask(
    context.at.round,
    children.map(({ of, steps: prefix }, index) => {
      const { draw } = trees[of] as Growing;
      return {
        item: `${placeOf(draw, turn)}/value`,
        sample: index,
        input: draw.task.input,
        request: {
          ...draw.request,
          messages: valueMessages(draw.task, prefix),
          temperature: 0,
          seed: streamSeed(draw.request.seed, 'value', turn),
        },
      };
    }),
  );
  return trees.map((growing, of) => {
    const parent = open.find((item) => item.of === of)?.thought;
    if (parent === undefined) return growing;
    const thoughts = children.flatMap(({ of: tree, steps: prefix, final }, index): Thought[] => {
      const answer = values[index];
      const value = answer?.ok === true ? readValue(answer.text) : 0;
      return tree === of ? [{ steps: prefix, value, final }] : [];
    });
    const paid = [
      ...replies.filter((_, index) => steps[index]?.of === of),
      ...values.filter((_, index) => children[index]?.of === of),
    ];
    return withUsage({ ...growing, tree: grown(growing.tree, parent, thoughts) }, paid);
  });
}

function placeOf({ task, sample }: Draw, turn: number): string {
  return `${task.id}/${sample}/expansion ${turn + 1}`;
}

function withUsage(growing: Growing, answers: readonly ModelAnswer[]): Growing {
  const add = (a: number | null, b: number | null) => (a === null || b === null ? null : a + b);
  return answers.reduce<Growing>(
    (sum, answer) =>
      answer.ok
        ? {
            ...sum,
            model: answer.model,
            usage: {
              input: add(sum.usage.input, answer.usage.input),
              output: add(sum.usage.output, answer.usage.output),
            },
          }
        : sum,
    growing,
  );
}
