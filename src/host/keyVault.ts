/**
 * Owns the keys a person stored in this window: one for each provider, bound to the origin it was stored for. Deliberately
 * knows no editor: the editor's secret storage and the question to the person are handed in, so that every decision is
 * tested without one.
 */

export interface Secrets {
  get(name: string): PromiseLike<string | undefined>;
  store(name: string, value: string): PromiseLike<void>;
  delete(name: string): PromiseLike<void>;
}

export interface StoredKey {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly key: string;
}

/** What the engine asks for, and what the user's settings say now. */
export interface KeyQuestion {
  readonly provider: string;
  readonly origin: string;
  /** The origin of the provider's base URL in the user's settings; null where it has none. */
  readonly named: string | null;
}

export interface KeyVault {
  readonly set: (provider: string, stored: StoredKey) => Promise<void>;
  readonly remove: (provider: string) => Promise<void>;
  readonly read: (provider: string) => Promise<StoredKey | null>;
  /** The key, where it may go to this origin; a person is asked where it was stored for another one. */
  readonly find: (question: KeyQuestion) => Promise<string | null>;
}

const secretName = (provider: string): string => `ratchet.key.${provider}`;
const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Scheme, host and port of an address, or null. What a browser would go to, not what the text looks like. */
export function originOf(address: string): string | null {
  try {
    const { protocol, origin, username, password } = new URL(address.trim());
    // A blob's origin is that of the address inside it.
    const isWeb = protocol === 'https:' || protocol === 'http:';
    return isWeb && username === '' && password === '' ? origin : null;
  } catch {
    return null;
  }
}

/** Plain http shows a key to everybody on the way, but for the way inside one machine. */
export function maySeeKeys(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname));
}

/**
 * Whether a key bound to one origin may go to the one asked for. `ask`: the user's own settings name another address than
 * the key was stored for, so a person decides. `refuse`: nobody's settings name that address.
 */
export function decide(bound: string | null, asked: string, named: string | null): 'give' | 'ask' | 'refuse' {
  if (bound === null || originOf(asked) !== asked || !maySeeKeys(asked)) return 'refuse';
  if (asked !== named) return 'refuse';
  return asked === bound ? 'give' : 'ask';
}

function readStored(text: string | undefined): StoredKey | null {
  try {
    const { origin, key } = JSON.parse(text ?? '') as Partial<StoredKey>;
    return typeof origin === 'string' && typeof key === 'string' && key !== '' ? { origin, key } : null;
  } catch {
    return null;
  }
}

/** `agrees` asks a person whether a key stored for one origin may go to another from now on. */
export function createKeyVault(
  secrets: Secrets,
  agrees: (provider: string, from: string, to: string) => Promise<boolean>,
): KeyVault {
  const asking = new Map<string, Promise<boolean>>();
  const read: KeyVault['read'] = async (provider) => readStored(await secrets.get(secretName(provider)));
  const set: KeyVault['set'] = async (provider, stored) =>
    secrets.store(secretName(provider), JSON.stringify(stored));
  /** One question for all calls that wait for its answer. */
  const agreed = (provider: string, from: string, to: string): Promise<boolean> => {
    const name = `${provider} ${from} ${to}`;
    const question = asking.get(name) ?? agrees(provider, from, to).finally(() => asking.delete(name));
    asking.set(name, question);
    return question;
  };
  return {
    read,
    set,
    remove: async (provider) => secrets.delete(secretName(provider)),
    find: async ({ provider, origin, named }) => {
      const stored = await read(provider);
      if (stored === null) return null;
      switch (decide(stored.origin, origin, named)) {
        case 'give':
          return stored.key;
        case 'refuse':
          return null;
        case 'ask':
          if (!(await agreed(provider, stored.origin, origin))) return null;
          await set(provider, { ...stored, origin });
          return stored.key;
      }
    },
  };
}
