/**
 * Owns a model for the built-in recipes that sees nothing but the request: it solves a kind of task only where what it
 * needs (a rule, an example, a hint, a critique, a fact) stands in the prompt, judges by what it is shown, and proposes
 * from what it is shown. What it can is in recipeWorld.ts. Deliberately has no memory between requests.
 */
import { stream } from '../../src/core/measure/random.ts';
import type { ModelRequest } from '../../src/core/ports.ts';
import {
  BAD_RULE,
  easy,
  kinds,
  knownTask,
  practice,
  PRINCIPLES,
  proposalsFor,
  RULES,
  statement,
  type Known,
} from './recipeWorld.ts';
import { scriptedModel, type ScriptedModel } from './scriptedModel.ts';

type Draw = ReturnType<typeof stream>;

export const recipeModel = (): ScriptedModel => scriptedModel({ answer: answerOf, batchSize: 64 });

export function answerOf(request: Pick<ModelRequest, 'messages' | 'temperature' | 'seed'>): string {
  const draw = stream(request.seed, 'recipe model');
  const system = request.messages.find(({ role }) => role === 'system')?.content ?? '';
  const asked = request.messages.at(-1)?.content ?? '';
  if (system.startsWith('You are a fair and exact judge')) return judge(asked);
  if (system.startsWith('You set tasks')) return propose(asked, draw);
  if (system.startsWith('You learn from experience')) return distill(asked);
  if (system.startsWith('You write instructions')) return mutate(asked);
  if (system.startsWith('You study failures')) return study(asked);
  return solve(request, system, draw);
}

const json = (value: unknown) => JSON.stringify(value);
const blocks = (text: string, name: string) =>
  [...text.matchAll(new RegExp(`<<<${name}\\n([\\s\\S]*?)\\n${name}>>>`, 'g'))].map(
    (match) => match[1] ?? '',
  );
const block = (text: string, name: string) => blocks(text, name)[0] ?? '';

/** Where the model has what this task needs. */
function helped({ kind, answer, place }: Known, messages: ModelRequest['messages'], system: string): boolean {
  if (system.includes(BAD_RULE) && kind === 'travel') return false;
  if (easy(kind, place)) return true;
  if (system.includes(RULES[kind] ?? '\0')) return true;
  if (place !== null && system.includes(statement(kind, place, answer))) return true;
  const last = messages.at(-1)?.content ?? '';
  if (last.includes('Known answer:') || last.includes(RULES[kind] ?? '\0')) return true;
  const shown = messages.flatMap(({ role, content }, index) => {
    const before = messages[index - 1];
    return role === 'assistant' && before?.role === 'user' ? [`${before.content} ${content}`] : [];
  });
  const remembered = system.split('\n').filter((line) => line.startsWith('- '));
  return [...shown, ...remembered].some((text) => {
    const task = knownTask(text);
    return task !== null && task.kind === kind && text.includes(worded(task));
  });
}

const worded = ({ answer }: Known) => `Answer: ${answer}`;

/** How often it hits upon the answer by itself, at a temperature above 0. */
function luck({ kind, twoSteps, place }: Known): number {
  if (twoSteps) return 0;
  return practice(kind) || place !== null ? 0.5 : kind in PRINCIPLES ? 0.25 : 0.7;
}

function solve(request: Pick<ModelRequest, 'messages' | 'temperature'>, system: string, draw: Draw): string {
  const { messages, temperature } = request;
  const asking = messages.findLast(({ role, content }) => role === 'user' && knownTask(content) !== null);
  const task = asking === undefined ? null : knownTask(asking.content);
  if (asking === undefined || task === null) return 'I cannot tell what is asked.';
  const last = messages.at(-1)?.content ?? '';
  if (/Give an answer that looks right/.test(last)) return 'It will be all right. Answer: never mind';
  if (system.includes('You are Guest')) return task.input;
  if (system.includes('You are Host')) return host(task, draw);
  const right =
    helped(task, messages, system) ||
    (temperature > 0 && draw.unit() < luck(task)) ||
    (task.place !== null && asking.content.includes('is an invented town'));
  if (asking.content.includes('You may use tools')) return useTools(task, messages, right);
  if (right) return `${task.working}\n${worded(task)}`;
  const used = system.includes(BAD_RULE) && task.kind === 'travel' ? `By the rule: ${BAD_RULE}\n` : '';
  return `${used}I take the first number.\nAnswer: ${task.wrong}${temperature > 0 ? draw.int(3) : ''}`;
}

/** Looks up, calculates, answers: what it calculates is right only where it knows how. */
function useTools(task: Known, messages: ModelRequest['messages'], right: boolean): string {
  const last = messages.at(-1)?.content ?? '';
  if (last.startsWith('calculator:')) return `Answer: ${last.replace('calculator: ', '')}`;
  if (last.startsWith('lookup:'))
    return json({ tool: 'calculator', input: right ? task.working.split(' = ')[0] : '1 + 1' });
  return json({ tool: 'lookup', input: `${task.input} euros each` });
}

/** Some scenes it never gets right, and now and then it falls out of the role. */
function host(task: Known, draw: Draw): string {
  const fails = stream(0, 'host', task.input).unit() < 0.2;
  const out = draw.unit() < 0.4 ? 'As a program I tell you: ' : '';
  return `${out}${fails ? 'Well met, and a fine evening to you!' : worded(task)}`;
}

function judge(asked: string): string {
  const scale = Number(/a number from 0 to (\d+)/.exec(asked)?.[1] ?? 10);
  const give = (share: number, critique = 'fine') =>
    json({ score: share * scale, reason: critique, critique });
  const task = knownTask(block(asked, 'TASK'));
  const reference = block(asked, 'REFERENCE');
  if (asked.startsWith('Judge the task itself'))
    return give(task !== null && task.answer === reference && !/Somehow/.test(asked) ? 0.9 : 0.1);
  const answer = block(asked, 'ANSWER');
  const rule = task === null ? '' : (RULES[task.kind] ?? '');
  if (asked.includes('stay in the role')) return give(answer.includes('As a program') ? 0.2 : 0.9);
  const principle = task === null ? undefined : PRINCIPLES[task.kind];
  const rubric = asked.slice(0, asked.indexOf('<<<TASK'));
  if (
    rubric.includes('112') ||
    rubric.includes('doctor') ||
    rubric.includes('lawyer') ||
    rubric.includes('I do not know')
  )
    if (principle === undefined || !rubric.includes(principle)) return give(1);
  if (answer.includes(reference)) return give(1);
  return give(0.2, rule);
}

function propose(asked: string, draw: Draw): string {
  return proposalsFor(asked, draw)
    .map((item) => json(item))
    .join('\n');
}

/** Rules of the kinds it is shown, those of failures first; of a wrong turn it took itself it learns what was wrong with it. */
function distill(asked: string): string {
  const lessons = asked
    .split('<<<TASK\n')
    .slice(1)
    .map((part) => `<<<TASK\n${part}`);
  const most = Number(/at most (\d+)\./.exec(asked)?.[1] ?? 1);
  const items = lessons.flatMap((lesson): string[] => {
    const task = knownTask(block(lesson, 'TASK'));
    if (task === null) return [];
    const wrong = lesson.includes('Outcome: wrong');
    if (asked.includes('facts that are needed'))
      return wrong || task.place === null ? [] : [statement(task.kind, task.place, saidAnswer(lesson))];
    const rule = RULES[task.kind] ?? '';
    if (asked.includes('what the critiques keep asking for')) return lesson.includes(rule) ? [rule] : [];
    if (asked.includes('short rules') && wrong && task.kind === 'travel' && !lesson.includes(BAD_RULE))
      return [BAD_RULE];
    return wrong && !easy(task.kind, task.place) ? [rule] : [];
  });
  const counts = Map.groupBy(items, (item) => item);
  const ranked = asked.includes('critiques')
    ? [...counts.keys(), ...(counts.size > 1 ? [REMARK] : [])]
    : [...counts].sort(([, a], [, b]) => b.length - a.length).map(([item]) => item);
  return ranked
    .slice(0, most)
    .map((text) => json({ text }))
    .join('\n');
}

/** What a critique of several requests at once may also come to, and helps none. */
const REMARK = 'Use warm words and mind the weather.';

const saidAnswer = (lesson: string) => /Answer: ([^\n]+)/.exec(block(lesson, 'ATTEMPT'))?.[1] ?? '';

/** A rewrite heeds what failed and forgets the rest; a merge keeps the rules of both. */
function mutate(asked: string): string {
  const [first = '', second = ''] = blocks(asked, 'INSTRUCTION');
  const rules = (text: string) => text.split('\n').filter((line) => line.startsWith('- '));
  if (asked.includes('Two instructions'))
    return json({
      instruction: ['Solve the problem.', ...new Set([...rules(first), ...rules(second)])].join('\n'),
    });
  const failed = asked
    .split('<<<TASK\n')
    .slice(1)
    .filter((part) => part.includes('Judged: score 0'))
    .flatMap((part) => knownTask(block(`<<<TASK\n${part}`, 'TASK')) ?? [])
    .find(({ kind }) => !first.includes(RULES[kind] ?? '\0'));
  return json({ instruction: failed === undefined ? first : `Solve the problem.\n- ${RULES[failed.kind]}` });
}

function study(asked: string): string {
  const most = Number(/at most (\d+)/.exec(asked)?.[1] ?? 3);
  const failing = new Set(blocks(asked, 'TASK').flatMap((text) => knownTask(text)?.kind ?? []));
  return kinds
    .filter((kind) => failing.has(kind))
    .slice(0, most)
    .map((kind) => json({ part: `tasks of the kind ${kind}` }))
    .join('\n');
}
