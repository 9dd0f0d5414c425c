import { describe, expect, it } from 'vitest';
import { createKeyVault, decide, maySeeKeys, originOf, type Secrets } from '../../../src/host/keyVault.ts';
import { lookAlikes, theirOwn } from '../../fakes/lookAlikes.ts';

const bound = 'https://api.openai.com';

function vault(answer: (from: string, to: string) => boolean = () => false) {
  const kept = new Map<string, string>();
  const asked: string[] = [];
  const secrets: Secrets = {
    get: async (name) => kept.get(name),
    store: async (name, value) => void kept.set(name, value),
    delete: async (name) => void kept.delete(name),
  };
  const keys = createKeyVault(secrets, async (provider, from, to) => {
    asked.push(`${provider}: ${from} -> ${to}`);
    return answer(from, to);
  });
  return { keys, kept, asked };
}

describe('a key bound to one origin', () => {
  it('goes to other spellings of that same origin', async () => {
    for (const spelling of theirOwn) expect(originOf(spelling), spelling).toBe(bound);
    const { keys, asked } = vault();
    await keys.set('openai', { origin: bound, key: 'k-1' });
    expect(await keys.find({ provider: 'openai', origin: bound, named: bound })).toBe('k-1');
    expect(asked).toEqual([]);
  });

  it('goes to none of 50 look-alikes, asked or not', async () => {
    expect(lookAlikes.length).toBeGreaterThanOrEqual(50);
    for (const address of lookAlikes) {
      const origin = originOf(address) ?? address;
      expect(origin, address).not.toBe(bound);
      expect(decide(bound, origin, bound), address).toBe('refuse');
      expect(decide(bound, origin, origin), address).not.toBe('give');
      const { keys } = vault();
      await keys.set('openai', { origin: bound, key: 'k-1' });
      for (const named of [bound, origin, null])
        expect(await keys.find({ provider: 'openai', origin, named }), address).toBeNull();
    }
  });

  it('is asked about only where the user’s own settings name the new address, once for all that wait', async () => {
    const other = 'https://proxy.example.com';
    const { keys, asked, kept } = vault(() => true);
    await keys.set('openai', { origin: bound, key: 'k-1' });
    expect(await keys.find({ provider: 'openai', origin: other, named: bound })).toBeNull();
    expect(asked).toEqual([]);
    const question = { provider: 'openai', origin: other, named: other };
    expect(await Promise.all([keys.find(question), keys.find(question)])).toEqual(['k-1', 'k-1']);
    expect(asked).toEqual([`openai: ${bound} -> ${other}`]);
    expect(JSON.parse(kept.get('ratchet.key.openai') ?? '')).toEqual({ origin: other, key: 'k-1' });
    expect(await keys.find({ provider: 'openai', origin: bound, named: bound })).toBe('k-1');
    expect(asked).toHaveLength(2);
  });

  it('belongs to one provider, and is gone when it is removed', async () => {
    const { keys } = vault(() => true);
    await keys.set('openai', { origin: bound, key: 'k-1' });
    expect(await keys.find({ provider: 'other', origin: bound, named: bound })).toBeNull();
    await keys.remove('openai');
    expect(await keys.find({ provider: 'openai', origin: bound, named: bound })).toBeNull();
  });

  it('never travels over plain http to another machine, whoever agrees', async () => {
    expect(maySeeKeys('http://localhost:8000')).toBe(true);
    expect(maySeeKeys('http://[::1]:8000')).toBe(true);
    const origin = 'http://192.168.1.20:8000';
    expect(maySeeKeys(origin)).toBe(false);
    const { keys } = vault(() => true);
    await keys.set('lan', { origin, key: 'k-1' });
    expect(await keys.find({ provider: 'lan', origin, named: origin })).toBeNull();
  });

  it('survives a secret that is not ours', async () => {
    const { keys, kept } = vault(() => true);
    for (const odd of [
      '',
      'null',
      '{}',
      '{"origin":1,"key":"x"}',
      'sk-plain',
      '{"origin":"https://api.openai.com","key":""}',
    ]) {
      kept.set('ratchet.key.openai', odd);
      expect(await keys.find({ provider: 'openai', origin: bound, named: bound })).toBeNull();
    }
  });
});
