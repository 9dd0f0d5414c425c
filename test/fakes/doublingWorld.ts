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
