import { describe, expect, it } from 'vitest';
import { pickModel, readChatError, readWhole, withoutSystem } from '../../../src/host/editorCalls.ts';

const offered = [
  { vendor: 'copilot', family: 'gpt-4o', id: 'gpt-4o-2024', model: 1 },
  { vendor: 'copilot', family: 'gpt-4o', id: 'gpt-4o-mini', model: 2 },
  { vendor: 'other', family: 'gpt-4o', id: 'org/odd', model: 3 },
];

describe('one call to a model of the editor', () => {
  it('finds the model a recipe means: by id, then by family, within its vendor', () => {
    const found = (wanted: string) => pickModel(wanted, offered)?.model ?? null;
    expect(found('copilot/gpt-4o')).toBe(1);
    expect(found('copilot/gpt-4o-mini')).toBe(2);
    expect(found('other/gpt-4o')).toBe(3);
    expect(found('gpt-4o-mini')).toBe(2);
    expect(found('other/org/odd')).toBe(3);
    expect(found('org/odd')).toBe(3);
    expect(found('third/gpt-4o')).toBeNull();
    expect(found('')).toBeNull();
  });

  it('puts what a system message says before what the user says', () => {
    const system = { role: 'system', content: 'be brief' } as const;
    const user = { role: 'user', content: '1+1' } as const;
    const assistant = { role: 'assistant', content: '2' } as const;
    expect(withoutSystem([user])).toEqual([user]);
    expect(withoutSystem([system, user])).toEqual([{ role: 'user', content: 'be brief\n\n1+1' }]);
    expect(withoutSystem([system, assistant, user])).toEqual([
      assistant,
      { role: 'user', content: 'be brief\n\n1+1' },
    ]);
    expect(withoutSystem([system])).toEqual([{ role: 'user', content: 'be brief' }]);
    expect(withoutSystem([system, user, assistant, user])[2]).toEqual(user);
  });

  it('knows what each error means for the run', () => {
    const error = (code: string, message = 'why', cause?: unknown) =>
      readChatError('v/m', Object.assign(new Error(message, { cause }), { code }));
    expect(error('NoPermissions')).toMatchObject({
      kind: 'provider',
      reason: expect.stringMatching(/press Resume/) as string,
    });
    expect(error('Blocked', 'quota of 3')).toMatchObject({
      kind: 'provider',
      reason: expect.stringMatching(/quota of 3.*resume later/) as string,
    });
    expect(error('NotFound')).toMatchObject({
      kind: 'provider',
      reason: expect.stringMatching(/no longer offers v\/m/) as string,
    });
    const item = error('Unknown', 'odd', new Error('the\u0007 inner\nreason.'));
    expect(item).toEqual({ kind: 'item', reason: 'the editor model failed: odd: the inner reason' });
    expect(readChatError('v/m', 'plain').kind).toBe('item');
    expect(readChatError('v/m', null).kind).toBe('item');
    for (const code of ['NoPermissions', 'Blocked', 'NotFound', 'Unknown'])
      expect(error(code, 'x'.repeat(5000))).toMatchObject({ reason: /^.{1,600}$/ });
  });

  it('reads an answer to its end, and keeps none without one', async () => {
    async function* pieces(count: number, size: number) {
      for (let n = 0; n < count; n += 1) yield 'x'.repeat(size);
    }
    expect(await readWhole(pieces(3, 2))).toBe('xxxxxx');
    expect(await readWhole(pieces(0, 0))).toBe('');
    expect(await readWhole(pieces(Infinity, 1_000_000))).toBeNull();
  });
});
