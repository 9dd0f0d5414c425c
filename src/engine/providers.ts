/**
 * Owns which model a recipe's name means: Pocket is elsewhere, editor models go to a window, everything else is an endpoint
 * the user's settings, the environment or the built-in list name. Deliberately reads no workspace: a recipe names a
 * provider's id, and what that stands for is the user's alone to say.
 */
import { readAddress } from '../adapters/models/address.ts';
import { openaiModel } from '../adapters/models/openaiModel.ts';
import type { OpenAiEndpoint } from '../adapters/models/session.ts';
import type { ConnectionReport } from '../adapters/models/testConnection.ts';
import type { LanguageModel, Log } from '../core/ports.ts';
import { ProviderError } from '../core/ports.ts';
import { askProviders } from '../protocol/clientRequests.ts';
import {
  editorProvider,
  findProvider,
  isOwn,
  pocketProvider,
  providerIds,
  type FoundProvider,
  type ProviderSettings,
} from '../protocol/providers.ts';
import type { Clients } from './clients.ts';
import { editorModel } from './editorModel.ts';
import { createKeys } from './keys.ts';

export interface Providers {
  /** `name` is a recipe's: provider and model with a slash between. Throws ProviderError when there is none to be had. */
  readonly model: (name: string) => Promise<LanguageModel>;
  /** Model '' only looks whether the provider can be reached and what it lists. */
  readonly test: (provider: string, model: string) => Promise<ConnectionReport>;
  readonly forgetKeys: () => void;
}

export interface ProvidersContext {
  readonly clients: Clients;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

const settingsLimitMs = 10_000;
const openAiOrigin = 'https://api.openai.com';

const failed = (problem: ConnectionReport['problem'], message: string): ConnectionReport => ({
  ok: false,
  problem,
  message,
  models: [],
});

/** The environment's own providers: RATCHET_PROVIDERS holds JSON of the form of the setting `ratchet.providers`. */
function environmentProviders({ environment }: ProvidersContext): unknown {
  const text = environment['RATCHET_PROVIDERS'] ?? '';
  if (text === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ProviderError(
      'The variable RATCHET_PROVIDERS is not JSON; write it like the setting ratchet.providers.',
      {
        cause,
      },
    );
  }
}

async function windowProviders({ clients }: ProvidersContext): Promise<unknown> {
  const takes = (answer: unknown) => answer !== null;
  const asked = await clients.ask(askProviders, {}, { limitMs: settingsLimitMs, takes });
  return asked.kind === 'answered' ? (asked.answer?.providers ?? {}) : {};
}

/** A window's settings go before the environment's. Throws ProviderError where the provider is unknown or cannot be. */
async function settingsOf(id: string, context: ProvidersContext): Promise<ProviderSettings> {
  const own = await windowProviders(context);
  const other = environmentProviders(context);
  const source = isOwn(id, own) ? own : other;
  const found: FoundProvider = findProvider(id, source);
  if (found.kind === 'wrong') throw new ProviderError(found.message);
  if (found.kind === 'unknown') {
    const names = [pocketProvider, editorProvider, ...providerIds({ ...(own ?? {}), ...(other ?? {}) })];
    throw new ProviderError(
      `There is no provider "${id}"; a recipe may name ${names.slice(0, 12).join(', ')}, or one of the setting ratchet.providers.`,
    );
  }
  const elsewhere = context.environment['RATCHET_OPENAI_BASE_URL'] ?? '';
  const plain = id === 'openai' && !isOwn(id, source);
  return plain && elsewhere !== '' ? { ...found.settings, baseURL: elsewhere } : found.settings;
}

type FindKey = (place: {
  readonly settings: ProviderSettings;
  readonly origin: string;
}) => Promise<string | null>;

/** Throws ProviderError for an address that cannot be used. */
function endpointOf(settings: ProviderSettings, model: string, find: FindKey, log: Log): OpenAiEndpoint {
  const { baseURL, allowHttp, apiVersion, proxy, concurrency, samplesPerCall } = settings;
  const { origin, host } = readAddress(baseURL, allowHttp);
  const { id: provider, api, headers, keyHeader, stream } = settings;
  return {
    ...{ provider, baseURL, model, api, headers, keyHeader, stream, allowHttp, log },
    apiKey: () => find({ settings, origin }),
    prices: Object.entries(settings.prices).map(([name, price]) => ({
      ...{ host, model: name, asOf: 'now', source: 'settings' },
      ...price,
    })),
    ...(apiVersion === null ? {} : { apiVersion }),
    ...(proxy === null ? {} : { proxy }),
    ...(concurrency === null ? {} : { concurrency }),
    ...(samplesPerCall === null ? {} : { samplesPerCall }),
  };
}

/** OpenAI itself answers nobody without a key, so nothing is sent to find that out. */
async function needKey(endpoint: OpenAiEndpoint): Promise<void> {
  const { origin } = readAddress(endpoint.baseURL, endpoint.allowHttp);
  if (origin !== openAiOrigin || (await endpoint.apiKey()) !== null) return;
  throw new ProviderError(
    `There is no key for provider ${endpoint.provider}; run "Ratchet: Set API Key..." in the editor, or set OPENAI_API_KEY, then resume.`,
  );
}

export function createProviders(context: ProvidersContext): Providers {
  const { clients, log } = context;
  const keys = createKeys(clients, context.environment);
  return {
    forgetKeys: keys.forget,
    model: async (name) => {
      const [id = '', ...rest] = name.split('/');
      const model = rest.join('/');
      if (id === editorProvider && model !== '') return editorModel({ clients, model });
      const known = id === editorProvider ? null : await settingsOf(id, context);
      if (known === null || model === '')
        throw new ProviderError(`The recipe names no model; write model: { provider: ${id}, model: NAME }.`);
      keys.forget();
      const endpoint = endpointOf(known, model, keys.find, log);
      await needKey(endpoint);
      return openaiModel(endpoint);
    },
    test: async (id, model) => {
      try {
        if (id === pocketProvider)
          return {
            ok: true,
            problem: null,
            message: 'Pocket is built in and needs no connection.',
            models: [],
          };
        if (id === editorProvider) return await testEditorModel(clients, model);
        const settings = await settingsOf(id, context);
        keys.forget();
        const endpoint = endpointOf(settings, model, keys.find, log);
        await needKey(endpoint);
        const { testConnection } = await import('../adapters/models/testConnection.ts');
        return await testConnection(endpoint);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        return failed(/\bkey\b/u.test(error.message) ? 'key' : 'address', error.message);
      }
    },
  };
}

async function testEditorModel(clients: Clients, model: string): Promise<ConnectionReport> {
  if (model === '') return failed('model', 'Name an editor model as vendor/family.');
  const request = { messages: [{ role: 'user' as const, content: 'Say OK.' }], temperature: 0, maxTokens: 1 };
  const began = performance.now();
  const asked = editorModel({ clients, model }).generate([{ ...request, seed: 1, weights: null }], {
    aborted: false,
  });
  for await (const { answer } of asked) {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    if (answer.ok)
      return {
        ...{ ok: true, problem: null, models: [] },
        message: `${answer.model} answers through this editor in ${seconds} s.`,
      };
    return failed('answer', `The editor model ${model} did not answer: ${answer.reason}.`);
  }
  return failed('answer', `The editor model ${model} did not answer.`);
}
