// Owns the check of asking for answers of a form: what is asked once more, with which words, and what is never asked again.
import { describe, expect, test } from 'vitest';
import { type AnswerForm, askForm } from '../../../../src/core/loop/askForm.ts';
import { callKey } from '../../../../src/core/loop/effectKeys.ts';
import type { StepContext } from '../../../../src/core/loop/stepContext.ts';
import { numberOf, objectsIn } from '../../../../src/core/prompt/replies.ts';
import type { ModelAnswer, ModelRequest } from '../../../../src/core/ports.ts';

type Asked = Parameters<StepContext['ask']>;
const form: AnswerForm = {
  format: { name: 'score', schema: { type: 'object', properties: { score: { type: 'number' } } } },
  isReadable: (reply) => objectsIn(reply).some((fields) => numberOf(fields, 'score') !== null),
};
const said = (text: string, finish: 'stop' | 'length' | 'refusal' = 'stop'): ModelAnswer => ({
  ...{ ok: true, text, finish, model: 'm', requestId: null },
  usage: { input: 1, output: 1 },
});
const request: ModelRequest = {
  messages: [{ role: 'user', content: 'Judge.' }],
  ...{ temperature: 0, maxTokens: 9, seed: 3, weights: null },
};
const calls = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ item: String(index), sample: 0, input: '', request }));

/** Replies to each turn of asking, by item. */
function context(...turns: readonly Readonly<Record<string, ModelAnswer>>[]) {
  const asked: Asked[] = [];
  const at = { arm: 'main', round: 2, step: '1.judge' } as const;
  const ask: StepContext['ask'] = async (...what) => {
    asked.push(what);
    const turn = turns[asked.length - 1] ?? {};
    return what[1].map(({ item }) => turn[item] ?? { ok: false, reason: 'not expected' });
  };
  return { asked, context: { ask, at } };
}

describe('asking for a form', () => {
  test('asks once where every reply can be read, fenced or in words, and asks for the form', async () => {
    const good = { 0: said('{"score": 1}'), 1: said('Well:\n```json\n{"score": "2"}\n```') };
    const it = context(good);
    expect(await askForm(it.context, calls(2), form, 'judge')).toEqual([good[0], good[1]]);
    expect(it.asked).toHaveLength(1);
    expect(it.asked[0]?.[0]).toBe(2);
    expect(it.asked[0]?.[2]).toBe('judge');
    expect(it.asked[0]?.[1][0]?.request.responseFormat).toEqual(form.format);
  });

  test('asks once more for what cannot be read, as an effect of its own that shows the reply', async () => {
    const it = context({ 0: said('{"score": 1}'), 1: said('eight of ten') }, { 1: said('{"score": 8}') });
    const answers = await askForm(it.context, calls(2), form);
    expect(answers.map((answer) => (answer.ok ? answer.text : ''))).toEqual(['{"score": 1}', '{"score": 8}']);
    expect(it.asked).toHaveLength(2);
    const [first, again] = [it.asked[0]?.[1][1], it.asked[1]?.[1][0]];
    expect(it.asked[1]?.[1]).toHaveLength(1);
    expect(again).toMatchObject({ item: '1', sample: 0, attempt: 1 });
    expect(again?.request.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(again?.request.messages[1]?.content).toBe('eight of ten');
    expect(again?.request.messages[2]?.content).toContain(JSON.stringify(form.format.schema));
    const place = { step: '1.judge', round: 2 };
    if (first === undefined || again === undefined) throw new Error('was not asked');
    expect(callKey(place, again, 0, 'm')).not.toBe(callKey(place, first, 0, 'm'));
  });

  test('asks no third time, and keeps the first reply where the second is no better', async () => {
    for (const second of [said('still words'), { ok: false, reason: 'down' } as const]) {
      const it = context({ 0: said('words') }, { 0: second });
      expect(await askForm(it.context, calls(1), form)).toEqual([said('words')]);
      expect(it.asked).toHaveLength(2);
    }
  });

  test('repairs no outcome: a refusal, a reply cut at its limit, a failed call', async () => {
    const outcomes = {
      0: said('No.', 'refusal'),
      1: said('{"sco', 'length'),
      2: { ok: false, reason: 'x' } as const,
    };
    const it = context(outcomes);
    expect(await askForm(it.context, calls(3), form)).toEqual(Object.values(outcomes));
    expect(it.asked).toHaveLength(1);
  });

  test('shows no more of a long reply than it must', async () => {
    const it = context({ 0: said('x'.repeat(100_000)) }, { 0: said('{"score": 1}') });
    await askForm(it.context, calls(1), form);
    expect(it.asked[1]?.[1][0]?.request.messages[1]?.content.length).toBe(4_000);
  });
});
