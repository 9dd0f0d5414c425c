/**
 * Owns what a rehearsed model replies where an answer to a task would not do: a judgement of the schema asked for, a call of a
 * tool, or lines of JSON with every member any operator reads. So what grows from a reply (tasks that are set, drafts, notes)
 * is asked about in turn, and counted. Pure. Deliberately says nothing of sense.
 */
import { hash32 } from '../measure/hash.ts';
import type { JsonObject, ModelRequest } from '../ports.ts';

/** The right answer to every task that is set in a rehearsal: text, a number and a choice at once. */
export const SET_ANSWER = '1';

/** Null where the request is a task: its answer is the course's to say. */
export function rehearsedReply(request: ModelRequest, right: boolean): string | null {
  const { messages, responseFormat, seed } = request;
  if (responseFormat !== undefined) return JSON.stringify(ofSchema(responseFormat.schema, right));
  const tool = messages.flatMap(({ content }) => /^- \{"tool": "(\w+)"/m.exec(content)?.[1] ?? [])[0];
  // One who is wrong turns to the tool until the turns are used up; one who is right needs none.
  if (tool !== undefined) return right ? null : JSON.stringify({ tool, input: '1' });
  const asked = messages.at(-1)?.content ?? '';
  if (!/\b(?:as|with) JSON\b/.test(asked)) return null;
  const lines = Array.from({ length: wanted(asked) }, (_, index) => {
    const text = newText([asked, seed, index]);
    const same = { text, instruction: text, part: text, phrase: text };
    return JSON.stringify({ input: text, reference: SET_ANSWER, ...same });
  });
  return lines.join('\n');
}

/** Most lines of a reply. */
const MOST = 20;

/** How many the request asks for, by what it says last: "Write 3 tasks as JSON", "at most 5". */
function wanted(asked: string): number {
  const said = [...asked.matchAll(/\b(?:Write|at most) (\d+)\b/g)].at(-1)?.[1] ?? '1';
  return Math.min(MOST, Math.max(1, Number(said)));
}

/** Words nobody else has, so that no two texts are alike. */
const newText = (parts: readonly (string | number)[]): string =>
  Array.from({ length: 6 }, (_, word) => hash32([...parts, word]).toString(36)).join(' ');

function ofSchema({ properties }: JsonObject, right: boolean): JsonObject {
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties as JsonObject).map(([name, form]) => {
      const { enum: values, minimum, maximum } = form as JsonObject;
      if (Array.isArray(values)) return [name, (right ? values[0] : values.at(-1)) ?? null];
      return [name, typeof minimum === 'number' ? ((right ? maximum : minimum) ?? minimum) : 'rehearsed'];
    }),
  );
}
