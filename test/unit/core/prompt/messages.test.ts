// Owns the check of how a call's messages are put together.
import { expect, test } from 'vitest';
import { toMessages } from '../../../../src/core/prompt/messages.ts';

test('an empty instruction makes no system message', () => {
  for (const instruction of ['', '  \n'])
    expect(toMessages(instruction, { input: '1+2' })).toEqual([{ role: 'user', content: '1+2' }]);
});

test('the instruction goes first, as it is', () => {
  expect(toMessages('be brief\n', { input: '1+2' })).toEqual([
    { role: 'system', content: 'be brief\n' },
    { role: 'user', content: '1+2' },
  ]);
});

test('the context comes before the input, set apart from it', () => {
  const [message] = toMessages('', { input: 'Who?', context: 'Ada wrote it.\n' });
  expect(message?.content).toBe('Ada wrote it.\n\n---\n\nWho?');
  expect(toMessages('', { input: 'Who?', context: ' ' })).toEqual(toMessages('', { input: 'Who?' }));
});
