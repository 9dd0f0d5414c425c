/**
 * Owns the tools a model may use while it solves: exact arithmetic, and finding lines in the task's own context. Pure
 * functions of text. Deliberately runs no code and reads no file.
 */
import type { Task } from '../model/task.ts';
import { calculate } from '../measure/calculate.ts';
import { objectsIn, textOf } from '../prompt/replies.ts';

export type Tool = 'calculator' | 'lookup';

export interface ToolCall {
  readonly tool: Tool;
  readonly input: string;
}

const HELP: Readonly<Record<Tool, string>> = {
  calculator: '{"tool": "calculator", "input": "(12 + 7.5) * 3"} gives the exact value',
  lookup: '{"tool": "lookup", "input": "words"} gives the lines of the context that hold most of these words',
};

export function toolsHelp(tools: readonly Tool[]): string {
  return `You may use tools, one a turn, by replying with JSON only:\n${tools.map((tool) => `- ${HELP[tool]}`).join('\n')}\nOtherwise reply with the final answer.`;
}

/** Null where the reply calls no tool it may use. */
export function readToolCall(reply: string, tools: readonly Tool[]): ToolCall | null {
  const fields = objectsIn(reply)[0];
  if (fields === undefined) return null;
  const tool = tools.find((name) => name === textOf(fields, 'tool'));
  const input = textOf(fields, 'input');
  return tool === undefined || input === null ? null : { tool, input };
}

/** What the tool says; never throws. */
export function useTool({ tool, input }: ToolCall, task: Task): string {
  switch (tool) {
    case 'calculator': {
      const value = calculate(input);
      return value.ok ? `calculator: ${value.text}` : `calculator: ${value.reason}`;
    }
    case 'lookup':
      return `lookup: ${lookUp(input, task.context ?? '')}`;
  }
}

/** Lines shown at most. */
const LINES = 5;

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

function lookUp(query: string, context: string): string {
  const asked = new Set(wordsOf(query));
  const lines = context
    .split(/\r?\n/)
    .map((line, index) => ({
      line,
      index,
      hits: new Set(wordsOf(line).filter((word) => asked.has(word))).size,
    }))
    .filter(({ hits }) => hits > 0)
    .sort((a, b) => b.hits - a.hits || a.index - b.index)
    .slice(0, LINES);
  return lines.length === 0 ? 'nothing was found' : lines.map(({ line }) => line.trim()).join('\n');
}
