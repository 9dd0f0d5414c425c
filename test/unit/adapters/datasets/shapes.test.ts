// Owns the check of the shapes of rows: each is known by its fields, read into the right parts of a task, and refused where it could be read two ways.
import { describe, expect, test } from 'vitest';
import { createRowReader } from '../../../../src/adapters/datasets/rowReader.ts';
import type { DataShape, FieldMap, FileOptions } from '../../../../src/core/model/dataset.ts';

const read = (rows: readonly unknown[], options: FileOptions = {}) => {
  const reader = createRowReader(rows, options);
  return { shape: reader.used.shape, items: rows.flatMap((row) => reader.read(row)) };
};
const contents = (rows: readonly unknown[], options: FileOptions = {}) =>
  read(rows, options).items.map((item) => (item.ok ? item.content : item.reason));

const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });

test.each<[DataShape, unknown, unknown]>([
  ['plain', { input: 'a', reference: 'b' }, { input: 'a', reference: 'b' }],
  ['alpaca', { instruction: 'i', input: 'x', output: 'o' }, { input: 'i', context: 'x', reference: 'o' }],
  [
    'alpaca',
    { instruction: 'i', input: '', output: 'o', system: 's' },
    { input: 'i', context: 's', reference: 'o' },
  ],
  [
    'alpaca',
    { instruction: 'i', context: 'c', response: 'r', category: 'qa' },
    { input: 'i', context: 'c', reference: 'r' },
  ],
  [
    'sharegpt',
    {
      conversations: [
        { from: 'human', value: 'q' },
        { from: 'gpt', value: 'a' },
      ],
      system: 's',
    },
    { input: 'q', context: 's', reference: 'a' },
  ],
  [
    'messages',
    {
      messages: [{ role: 'system', content: 's' }, user('q1'), assistant('a1'), user('q2'), assistant('a2')],
    },
    { input: 'q2', context: 'System: s\n\nUser: q1\n\nAssistant: a1', reference: 'a2' },
  ],
  [
    'messages',
    { messages: [user([{ type: 'text', value: 'hi' }]), assistant([{ type: 'text', text: 'hello' }])] },
    { input: 'hi', reference: 'hello' },
  ],
  ['messages', { messages: [user('q'), assistant('bad')], label: false }, { input: 'q' }],
  ['question-answer', { question: 'q', answer: 'so 9 * 2 = 18\n#### 18' }, { input: 'q', reference: '18' }],
  ['preference', { prompt: 'p', chosen: 'good', rejected: 'bad' }, { input: 'p', reference: 'good' }],
  [
    'preference',
    { prompt: [user('p')], chosen: [assistant('good')], rejected: [assistant('bad')] },
    { input: 'p', reference: 'good' },
  ],
  [
    'preference',
    { chosen: '\n\nHuman: p\n\nAssistant: good', rejected: '\n\nHuman: p\n\nAssistant: bad' },
    { input: 'p', reference: 'good' },
  ],
  [
    'preference',
    { chosen: [user('p'), assistant('good')], rejected: [user('p'), assistant('bad')] },
    { input: 'p', reference: 'good' },
  ],
  [
    'preference',
    {
      conversations: [{ from: 'human', value: 'p' }],
      chosen: { from: 'gpt', value: 'good' },
      rejected: { from: 'gpt', value: 'bad' },
    },
    { input: 'p', reference: 'good' },
  ],
  [
    'multiple-choice',
    { question: 'q', choices: ['x', 'y'], answer: 'y' },
    { input: 'q\n\nA) x\nB) y', choices: ['x', 'y'], reference: 'B' },
  ],
  [
    'multiple-choice',
    { question: 'q', choices: { text: ['x', 'y'], label: ['1', '2'] }, answerKey: '2' },
    { input: 'q\n\nA) x\nB) y', choices: ['x', 'y'], reference: 'B' },
  ],
  [
    'multiple-choice',
    { question: 'q', A: 'x', B: 'y', answer: '(B)' },
    { input: 'q\n\nA) x\nB) y', choices: ['x', 'y'], reference: 'B' },
  ],
  [
    'humaneval',
    {
      task_id: 't',
      prompt: 'def f():',
      entry_point: 'f',
      canonical_solution: ' return 1',
      test: 'def check(c):\n  assert c() == 1\n',
    },
    {
      input: 'def f():',
      reference: ' return 1',
      tests: 'def check(c):\n  assert c() == 1\n\ncheck(f)\n',
      entryPoint: 'f',
    },
  ],
  [
    'mbpp',
    {
      text: 'Write f.',
      code: 'def f(): pass',
      test_list: ['assert f() is None', 'assert True'],
      test_setup_code: '',
    },
    { input: 'Write f.', reference: 'def f(): pass', tests: 'assert f() is None\nassert True' },
  ],
])('%s is known and read: %j', (shape, row, content) => {
  expect(read([row, row]).shape).toBe(shape);
  expect(contents([row])).toEqual([content]);
});

test('each instance of a Self-Instruct row is a task; they stay together', () => {
  const row = {
    instruction: 'i',
    instances: [
      { input: 'x', output: '1' },
      { input: '', output: '2' },
    ],
    is_classification: false,
  };
  const { shape, items } = read([row]);
  expect(shape).toBe('self-instruct');
  expect(items).toEqual([
    { ok: true, content: { input: 'i', context: 'x', reference: '1' }, labels: { group: 'i' } },
    { ok: true, content: { input: 'i', reference: '2' }, labels: { group: 'i' } },
  ]);
  expect(contents([{ instruction: 'i', instances: [] }], { shape: 'self-instruct' })[0]).toMatch(
    /no list, or an empty one/,
  );
});

describe('numbered answers', () => {
  const row = (answer: unknown) => ({ question: 'q', choices: ['x', 'y', 'z'], answer });
  const letters = (rows: readonly unknown[]) =>
    read(rows).items.map((item) => (item.ok ? item.content.reference : item.reason));
  test('count from 0 or from 1 as the file shows', () => {
    expect(letters([row(0), row(2)])).toEqual(['A', 'C']);
    expect(letters([row(1), row(3)])).toEqual(['A', 'C']);
  });
  test('that show neither are refused, not guessed', () =>
    expect(letters([row(1), row(2)])).toEqual([
      expect.stringContaining('none of its choices for certain'),
      expect.stringContaining('for certain'),
    ]));
  test('a choice that is a number is meant by its text', () =>
    expect(letters([{ question: 'q', choices: ['4', '5'], answer: '5' }])).toEqual(['B']));
  test('an answer that is none of the choices is refused', () =>
    expect(letters([row('w'), row('x')])[0]).toMatch(/for certain/));
});

test('a broken field is never read around by taking another shape', () => {
  const good = { prompt: 'p', chosen: 'a', rejected: 'b' };
  expect(contents([good, good, { prompt: 'p', chosen: 'x\ud800', rejected: 'b' }])[2]).toMatch(
    /lone surrogate/,
  );
});

test('a row of another shape than the rest is looked at by itself', () => {
  const qa = { question: 'q', answer: 'a' };
  expect(contents([qa, qa, qa, { instruction: 'i', output: 'o' }])[3]).toEqual({
    input: 'i',
    reference: 'o',
  });
});

test('images, unknown speakers and answers without a question are refused by name', () => {
  const messages = (turns: unknown) => contents([{ messages: turns }], { shape: 'messages' })[0];
  expect(messages([user([{ type: 'image_url', image_url: {} }]), assistant('a')])).toMatch(/no text/);
  expect(messages([{ role: 'narrator', content: 'x' }, assistant('a')])).toMatch(/somebody unknown/);
  expect(messages([assistant('a')])).toMatch(/no turn of a user/);
});

describe('a mapping', () => {
  const row = { meta: { q: 'ask', tags: ['x'] }, gold: 7, part: 'validation', topic: 'sums' };
  const map: FieldMap = { input: 'meta.q', reference: 'gold', split: 'part', stratum: 'topic' };
  test('reads paths, splits and strata', () =>
    expect(read([row], { map }).items).toEqual([
      { ok: true, content: { input: 'ask', reference: '7' }, labels: { split: 'dev', stratum: 'sums' } },
    ]));
  test('with an input is the whole; without one adds to the shape', () => {
    const alpaca = { instruction: 'i', input: 'x', output: 'o', topic: 't' };
    expect(contents([alpaca], { shape: 'alpaca', map: { input: 'output' } })).toEqual([{ input: 'o' }]);
    expect(read([alpaca], { shape: 'alpaca', map: { stratum: 'topic' } }).items).toEqual([
      { ok: true, content: { input: 'i', context: 'x', reference: 'o' }, labels: { stratum: 't' } },
    ]);
  });
  test('names a field that is not there', () =>
    expect(contents([row], { map: { input: 'nothing' } })).toEqual(['no input: "nothing" says nothing']));
  test('of a split says which values are known', () =>
    expect(contents([{ ...row, part: 'holdout' }], { map })[0]).toMatch(/neither train, dev nor test/));
});
