/**
 * Owns where a provider's key comes from while the engine runs: a connected window, else the environment. Keys are kept in
 * memory, one for each provider and origin, until the window says that one changed. Deliberately writes none anywhere, and
 * gives a variable meant for one address to no other.
 */
import { askKey } from '../protocol/clientRequests.ts';
import type { ProviderSettings } from '../protocol/providers.ts';
import type { Clients } from './clients.ts';

export interface KeyPlace {
  readonly settings: Pick<ProviderSettings, 'id' | 'keyVariable'>;
  /** Scheme, host and port of the endpoint. */
  readonly origin: string;
}

export interface Keys {
  /** The key for this provider at this origin, or null. A person may be asked in a window first. */
  readonly find: (place: KeyPlace) => Promise<string | null>;
  /** A key was set or removed in a window: the next exchange asks again. */
  readonly forget: () => void;
}

type Environment = Readonly<Record<string, string | undefined>>;

const openAiOrigin = 'https://api.openai.com';
/** A question to a person may stand for minutes. */
const limitMs = 300_000;

function originOf(address: string | undefined): string | null {
  try {
    return address === undefined ? null : new URL(address).origin;
  } catch {
    return null;
  }
}

/**
 * The environment's key for an origin. A variable the settings name is theirs to give; OPENAI_API_KEY goes to OpenAI itself,
 * and to the one other address the environment names beside it, in RATCHET_OPENAI_BASE_URL, as provider openai.
 */
export function environmentKey({ settings, origin }: KeyPlace, environment: Environment): string | null {
  const { id, keyVariable } = settings;
  const named = keyVariable === null ? '' : (environment[keyVariable] ?? '');
  if (named !== '') return named;
  const general = environment['OPENAI_API_KEY'] ?? '';
  if (general === '') return null;
  const besideIt = id === 'openai' && originOf(environment['RATCHET_OPENAI_BASE_URL']) === origin;
  return origin === openAiOrigin || besideIt ? general : null;
}

export function createKeys(clients: Pick<Clients, 'ask'>, environment: Environment): Keys {
  const known = new Map<string, Promise<string | null>>();
  const fresh = async (place: KeyPlace): Promise<string | null> => {
    const params = { provider: place.settings.id, origin: place.origin };
    const asked = await clients.ask(askKey, params, { limitMs, takes: ({ key }) => key !== null });
    return asked.kind === 'answered' ? asked.answer.key : environmentKey(place, environment);
  };
  return {
    forget: () => known.clear(),
    find: (place) => {
      const name = `${place.settings.id} ${place.origin}`;
      const found = known.get(name) ?? fresh(place);
      known.set(name, found);
      found.catch(() => known.delete(name));
      return found;
    },
  };
}
