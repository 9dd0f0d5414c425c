/**
 * Owns what the settings may say of a provider, and what is known of one without them. Deliberately resolves no address,
 * reads no key and asks nobody: a provider is data until a run or a test uses it.
 */
import * as z from 'zod';

/** Names of headers that carry a secret somewhere; settings are synced, exported and read aloud, so none may hold one. */
const secretHeader = /auth|key|token|secret|cookie|password|credential|signature/iu;
/** Set by the exchange itself. */
const ownHeaders = new Set([
  ...['host', 'content-type', 'content-length', 'accept', 'accept-encoding', 'connection'],
  ...['transfer-encoding', 'expect', 'upgrade', 'te', 'trailer', 'keep-alive'],
]);
const secretValue = /^\s*(?:Bearer|Basic)\s|\b(?:sk|pk|rk)-[\w-]{6,}/iu;

function headerProblem(name: string, value: string): string | null {
  if (!/^[\w!#$%&'*+.^`|~-]{1,100}$/u.test(name)) return `"${name.slice(0, 100)}" is no name of a header`;
  if (secretHeader.test(name) || secretValue.test(value))
    return `the header "${name}" may carry a key, which settings must not hold; run "Ratchet: Set API Key..." instead`;
  if (ownHeaders.has(name.toLowerCase())) return `the header "${name}" is set by Ratchet itself`;
  if (!/^[\t\x20-\x7e]{0,1000}$/u.test(value))
    return `the header "${name}" has characters a header cannot have`;
  return null;
}

const headers = z.record(z.string(), z.string()).superRefine((value, context) => {
  for (const [name, text] of Object.entries(value)) {
    const message = headerProblem(name, text);
    if (message !== null) context.addIssue({ code: 'custom', message });
  }
});

const price = z.strictObject({ input: z.number().min(0).max(1e6), output: z.number().min(0).max(1e6) });

const providerShape = z.strictObject({
  baseURL: z.string().min(1).max(2000).optional(),
  api: z.enum(['chat', 'responses', 'auto']).optional(),
  apiVersion: z
    .string()
    .regex(/^[\w.-]{1,60}$/u, 'a version looks like 2024-10-21')
    .optional(),
  headers: headers.optional(),
  keyHeader: z.enum(['authorization', 'api-key', 'x-api-key']).optional(),
  keyVariable: z
    .string()
    .regex(/^[A-Za-z_]\w{0,99}$/u, 'the name of an environment variable is expected')
    .optional(),
  proxy: z.string().max(2000).optional(),
  stream: z.boolean().optional(),
  concurrency: z.number().int().min(1).max(1024).optional(),
  samplesPerCall: z.number().int().min(1).max(128).optional(),
  models: z.array(z.string().min(1).max(200)).max(1000).optional(),
  prices: z.record(z.string().min(1).max(200), price).optional(),
  allowHttp: z.boolean().optional(),
});

/** One provider, with every default filled in. */
export interface ProviderSettings {
  /** What a recipe calls it; part of the model's name in every effect key. */
  readonly id: string;
  readonly baseURL: string;
  /** `auto`: the Responses API where OpenAI itself answers, chat completions elsewhere. */
  readonly api: 'chat' | 'responses' | 'auto';
  /** Sent as the query parameter api-version, as Azure wants it; null elsewhere. */
  readonly apiVersion: string | null;
  /** Sent with every request; never a key. */
  readonly headers: Readonly<Record<string, string>>;
  /** The header the key travels in; `authorization` carries it as a bearer token. */
  readonly keyHeader: 'authorization' | 'api-key' | 'x-api-key';
  /** The environment variable the key may come from where no window gives one; null for none of its own. */
  readonly keyVariable: string | null;
  readonly proxy: string | null;
  readonly stream: boolean;
  /** Calls in flight, at most; null for the usual number. */
  readonly concurrency: number | null;
  /** Samples of one request asked for in one call, at most; null for one. */
  readonly samplesPerCall: number | null;
  /** Offered first where a model is picked. */
  readonly models: readonly string[];
  /** By model: US dollars for a million tokens. */
  readonly prices: Readonly<Record<string, { readonly input: number; readonly output: number }>>;
  /** Whether http may go to another machine; a key never does. */
  readonly allowHttp: boolean;
}

/**
 * Base URLs as their makers document them: OpenAI's API reference, Ollama's "OpenAI compatibility", LM Studio's
 * "OpenAI Compatibility Endpoints", llama.cpp's server README, vLLM's "OpenAI-Compatible Server", OpenRouter's quickstart.
 */
const builtIn: Readonly<Record<string, { readonly baseURL: string; readonly keyVariable?: string }>> = {
  openai: { baseURL: 'https://api.openai.com/v1' },
  openrouter: { baseURL: 'https://openrouter.ai/api/v1', keyVariable: 'OPENROUTER_API_KEY' },
  ollama: { baseURL: 'http://localhost:11434/v1' },
  lmstudio: { baseURL: 'http://localhost:1234/v1' },
  llamacpp: { baseURL: 'http://localhost:8080/v1' },
  vllm: { baseURL: 'http://localhost:8000/v1' },
};

/** Answered by a connected editor window. */
export const editorProvider = 'editor';
/** The embedded model. */
export const pocketProvider = 'pocket';
const reserved: readonly string[] = [editorProvider, pocketProvider];

/** A recipe writes provider and model with a slash between, so an id has none. */
export const providerId = /^[A-Za-z0-9][\w.-]{0,99}$/u;

export type FoundProvider =
  | { readonly kind: 'found'; readonly settings: ProviderSettings }
  /** The settings say something of it that cannot be; one sentence. */
  | { readonly kind: 'wrong'; readonly message: string }
  | { readonly kind: 'unknown' };

function ownOf(own: unknown, id: string): unknown {
  if (typeof own !== 'object' || own === null || !Object.hasOwn(own, id)) return undefined;
  return (own as Readonly<Record<string, unknown>>)[id];
}

const wrong = (id: string, what: string): FoundProvider => ({
  kind: 'wrong',
  message: `The setting ratchet.providers.${id} cannot be used: ${what}.`,
});

/**
 * The provider of this id, from `own` (the value of `ratchet.providers`, whatever it is) over what is built in. A base URL
 * of one's own takes the built-in variable for the key away: that was meant for the built-in address alone.
 */
export function findProvider(id: string, own: unknown): FoundProvider {
  const known = Object.hasOwn(builtIn, id) ? builtIn[id] : undefined;
  const given = ownOf(own, id);
  if (given === undefined && known === undefined) return { kind: 'unknown' };
  if (!providerId.test(id) || reserved.includes(id))
    return wrong(id, 'this name cannot be given to a provider');
  const parsed = providerShape.safeParse(given ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    return wrong(id, `${where}${issue?.message ?? 'it is not an object'}`);
  }
  const said = parsed.data;
  const baseURL = said.baseURL ?? known?.baseURL;
  if (baseURL === undefined) return wrong(id, 'it has no baseURL, such as https://host/v1');
  const knownVariable = said.baseURL === undefined ? known?.keyVariable : undefined;
  const settings: ProviderSettings = {
    id,
    baseURL,
    api: said.api ?? 'chat',
    apiVersion: said.apiVersion ?? null,
    headers: said.headers ?? {},
    keyHeader: said.keyHeader ?? 'authorization',
    keyVariable: said.keyVariable ?? knownVariable ?? null,
    proxy: said.proxy === undefined || said.proxy === '' ? null : said.proxy,
    stream: said.stream ?? false,
    concurrency: said.concurrency ?? null,
    samplesPerCall: said.samplesPerCall ?? null,
    models: said.models ?? [],
    prices: said.prices ?? {},
    allowHttp: said.allowHttp ?? false,
  };
  return { kind: 'found', settings };
}

/** Ids of all providers `own` and the built-in ones name, own first. */
export function providerIds(own: unknown): readonly string[] {
  const mine = typeof own === 'object' && own !== null && !Array.isArray(own) ? Object.keys(own) : [];
  const named = mine.filter((id) => providerId.test(id) && !reserved.includes(id));
  return [...new Set([...named, ...Object.keys(builtIn)])];
}

/** Whether `own` says anything of this provider. */
export function isOwn(id: string, own: unknown): boolean {
  return ownOf(own, id) !== undefined;
}
