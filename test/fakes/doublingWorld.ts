/**
 * A small world for operator tests: tasks "double N", and a model that doubles right only where its prompt holds what it
 * needs, reads roles, tools, critiques, documents and judging from the request alone, and is otherwise off by one.
 */
import type { Task } from '../../src/core/model/task.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import { prompt, task } from './scriptedRun.ts';

export function doubling(from: number, count: number): Task[] {
  return Array.from({ length: count }, (_, index) =>
    task(`double ${from + index}`, String(2 * (from + index))),
  );
}

export const files = {
  'train.jsonl': doubling(100, 6),
  'dev.jsonl': doubling(200, 12),
  'test.jsonl': doubling(300, 4),
};

/** A recipe on that world: its steps, and whatever else of the head. */
export function recipe(
  steps: string,
  head: { rounds?: number; more?: string; objective?: string } = {},
): string {
  return `
ratchet: 1
name: doubling
objective: { ability: doubling numbers, metric: exact${head.objective ?? ''} }
model: m
data:
  train: { file: train.jsonl }
  dev: { file: dev.jsonl }
  test: { file: test.jsonl }
rounds: ${head.rounds ?? 1}
${head.more ?? ''}
steps:
${steps}
`;
}

/** The number of the newest task in a prompt; null where it has none. */
export function askedFor(request: ModelRequest): number | null {
  const found = [...prompt(request).matchAll(/double (\d+)/g)].at(-1)?.[1];
  return found === undefined ? null : Number(found);
}

/** Right where `knows`, else one too high; both say what they answer after "Answer:". */
export function doubled(request: ModelRequest, knows: boolean): string {
  const asked = askedFor(request) ?? 0;
  return `I think.\nAnswer: ${2 * asked + (knows ? 0 : 1)}`;
}

/** True for requests that ask for JSON in this member. */
export function asks(request: ModelRequest, member: string): boolean {
  return prompt(request).includes(`{"${member}"`);
}

const RULE = 'Multiply the number by two exactly.';

/** Answers whatever any operator asks, always alike for the same request. */
export function everything(request: ModelRequest): string {
  if (asks(request, 'text')) return JSON.stringify({ text: RULE });
  if (asks(request, 'instruction')) return JSON.stringify({ instruction: `Double it. ${request.seed % 5}` });
  if (asks(request, 'input'))
    return JSON.stringify({
      input: `double ${1000 + (request.seed % 50)}`,
      reference: String(2000 + 2 * (request.seed % 50)),
    });
  if (asks(request, 'part')) return '{"part": "big numbers"}';
  if (asks(request, 'score'))
    return JSON.stringify({ score: request.seed % 11, reason: 'so', critique: 'more' });
  if (asks(request, 'better'))
    return JSON.stringify({ better: prompt(request).length % 2 === 0 ? 'A' : 'B' });
  return doubled(request, prompt(request).includes(RULE) || request.seed % 4 === 0);
}

/** Every operator, most sources and policies, in one round. */
const wide = (autonomy: string) => `
  - propose: { source: pool, n: 3 }
  - solve: { n: 2 }
  - assess: { on: tasks, source: judge, rubric: "Is the task clear?" }
  - select: { over: tasks, policy: kCenter, k: 5 }
  - solve: { n: 3, style: cot, context: [memory, principles, scratch, workflow] }
    as: attempts
  - assess: { source: vote }
  - assess: { source: pairs, swap: true }
  - assess: {}
  - propose: { source: failures, n: 1 }
  - loop:
      max: 2
      until: unchanged
      do:
        - revise: { over: solutions, mode: critique }
        - assess: {}
  - select: { over: solutions, policy: softmax, k: 1, temperature: 0.5 }
  - distill: { form: rule, unit: task }
  - select: { over: knowledge, policy: distinct, maxOverlap: 0.5 }
  - revise: { over: knowledge, mode: restate }
  - pack: { form: sft, replay: { source: earlier, share: 0.2 } }
  - update: { slot: weights }
  - update: { slot: memory, op: patch }
  - update: { slot: demonstrations, op: insert, k: 2, pick: diverse }
  - revise: { over: instruction, mode: crossover, n: 2 }
  - revise: { over: instruction, mode: zeroOrder, n: 2 }
  - update: { slot: instruction }
  - evaluate: { suite: train, fresh: 4, repeats: 2, temperature: 1 }
  - select: { over: candidates, policy: top, k: 2 }
  - evaluate: { suite: dev, report: true }
  - select: { over: candidates, policy: gate, confidence: 0.6 }
  - retarget: { policy: weakness, autonomy: ${autonomy} }
  - retarget: { policy: ratchet, from: 0.4 }`;
export const wideScene = {
  recipe: recipe(wide('high'), { rounds: 2, more: 'population: { archive: all }\ninstruction: Answer.' }),
  models: { m: everything },
  files,
};
