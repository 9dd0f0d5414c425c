import { describe, expect, it } from 'vitest';
import { createClients, noClients, type Peer } from '../../../src/engine/clients.ts';
import { editorModel } from '../../../src/engine/editorModel.ts';
import { environmentKey } from '../../../src/engine/keys.ts';
import { createProviders } from '../../../src/engine/providers.ts';
import {
  ProviderError,
  type LanguageModel,
  type ModelAnswer,
  type ModelRequest,
} from '../../../src/core/ports.ts';
import {
  askEditorModel,
  askKey,
  askProviders,
  type EditorModelRequest,
} from '../../../src/protocol/clientRequests.ts';
import { completion } from '../../fakes/openaiServer.ts';
import { request, serve } from '../adapters/models/askEndpoint.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Answers = Readonly<Record<string, (params: never, signal: AbortSignal) => unknown>>;
function windowWith(answers: Answers): Peer & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    kind: 'editor',
    asked,
    ask: async (method, params, signal) => {
      asked.push(method);
      const answer = answers[method];
      if (answer === undefined) throw new Error('unknown');
      return answer(params as never, signal);
    },
  };
}

const requests = (count: number): ModelRequest[] =>
  Array.from({ length: count }, (_, index) => request(`q${index}`, { seed: index }));
async function all(model: LanguageModel, count: number, stop = { aborted: false }) {
  const answers = new Map<number, ModelAnswer>();
  for await (const { index, answer } of model.generate(requests(count), stop)) {
    expect(answers.has(index)).toBe(false);
    answers.set(index, answer);
  }
  return answers;
}
const echo = ({ messages }: EditorModelRequest) => ({
  kind: 'answer',
  text: `re: ${messages.at(-1)?.content ?? ''}`,
  model: 'v/m',
});

describe('a model of the editor, seen from the engine', () => {
  it('is asked through a window, no more calls at once than allowed, its usage unknown', async () => {
    const clients = createClients();
    let now = 0;
    let most = 0;
    clients.add(
      windowWith({
        [askEditorModel.method]: async (asked: EditorModelRequest) => {
          now += 1;
          most = Math.max(most, now);
          await new Promise((resolve) => setTimeout(resolve, 2));
          now -= 1;
          return echo(asked);
        },
      }),
    );
    const model = editorModel({ clients, model: 'v/m', concurrency: 3 });
    const answers = await all(model, 20);
    expect(model).toMatchObject({ name: 'editor/v/m', price: null });
    expect(answers.size).toBe(20);
    expect(most).toBe(3);
    expect(answers.get(7)).toEqual({
      ...{ ok: true, text: 're: q7', finish: 'stop', model: 'v/m', requestId: null },
      usage: { input: null, output: null },
    });
  });

  it('pauses with the reason where no window is there, or none can', async () => {
    const clients = createClients();
    await expect(all(editorModel({ clients, model: 'v/m' }), 1)).rejects.toThrow(
      /none is connected; open this workspace/,
    );
    clients.add(windowWith({}));
    await expect(all(editorModel({ clients, model: 'v/m' }), 1)).rejects.toBeInstanceOf(ProviderError);
    clients.add(
      windowWith({ [askEditorModel.method]: () => ({ kind: 'elsewhere', reason: 'No such model here.' }) }),
    );
    await expect(all(editorModel({ clients, model: 'v/m' }), 1)).rejects.toThrow('No such model here.');
    // The newest window is asked first, and one that cannot is passed over.
    const other = createClients();
    other.add(windowWith({ [askEditorModel.method]: echo }));
    other.add(windowWith({ [askEditorModel.method]: () => ({ kind: 'elsewhere', reason: 'no' }) }));
    expect((await all(editorModel({ clients: other, model: 'v/m' }), 2)).size).toBe(2);
  });

  it('goes on in the window that comes back, and gives up where none does', async () => {
    const clients = createClients();
    const gone = Promise.withResolvers<never>();
    const leave = clients.add(windowWith({ [askEditorModel.method]: () => gone.promise }));
    const answers = all(editorModel({ clients, model: 'v/m', graceMs: 5_000 }), 3);
    await new Promise((resolve) => setTimeout(resolve, 5));
    leave();
    gone.reject(new Error('connection lost'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    clients.add(windowWith({ [askEditorModel.method]: echo }));
    expect((await answers).size).toBe(3);

    const alone = createClients();
    const never = Promise.withResolvers<never>();
    const end = alone.add(windowWith({ [askEditorModel.method]: () => never.promise }));
    const lost = all(editorModel({ clients: alone, model: 'v/m', graceMs: 20 }), 3);
    await new Promise((resolve) => setTimeout(resolve, 5));
    end();
    never.reject(new Error('connection lost'));
    await expect(lost).rejects.toThrow(/window that answered was closed/);
  });

  it('hands over what came before the window refused, and keeps a single call’s failure a value', async () => {
    const clients = createClients();
    clients.add(
      windowWith({
        [askEditorModel.method]: (asked: EditorModelRequest) => {
          if (asked.seed === 1) return { kind: 'item', reason: 'off topic' };
          if (asked.seed === 3) return { kind: 'provider', reason: 'Your quota is used up.' };
          return echo(asked);
        },
      }),
    );
    const seen: ModelAnswer[] = [];
    const model = editorModel({ clients, model: 'v/m', concurrency: 1 });
    const reading = (async () => {
      for await (const { answer } of model.generate(requests(6), { aborted: false })) seen.push(answer);
    })();
    await expect(reading).rejects.toThrow('Your quota is used up.');
    expect(seen.map(({ ok }) => ok)).toEqual([true, false, true]);
  });

  it('stops asking a model that fails every call, and lets none of those count', async () => {
    const clients = createClients();
    let works = false;
    const peer = windowWith({
      [askEditorModel.method]: (asked: EditorModelRequest) =>
        works || asked.seed === 0 ? echo(asked) : { kind: 'item', reason: 'it is broken' },
    });
    clients.add(peer);
    const model = editorModel({ clients, model: 'v/m', concurrency: 1 });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { index } of model.generate(requests(30), { aborted: false })) seen.push(index);
    })();
    await expect(reading).rejects.toThrow(/failed 8 calls in a row, last because it is broken/);
    expect(seen).toEqual([0]);
    expect(peer.asked).toHaveLength(9);
    works = true;
    expect((await all(model, 30)).size).toBe(30);
  });

  it('tells the window to end its calls when the run stops', async () => {
    const clients = createClients();
    let ended = 0;
    clients.add(
      windowWith({
        [askEditorModel.method]: (_params: never, signal: AbortSignal) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => {
              ended += 1;
              reject(new Error('cancelled'));
            }),
          ),
      }),
    );
    const stop = { aborted: false };
    const answers = all(editorModel({ clients, model: 'v/m', concurrency: 2 }), 5, stop);
    setTimeout(() => {
      stop.aborted = true;
    }, 5);
    expect((await answers).size).toBe(0);
    expect(ended).toBe(2);
  });

  it('believes no answer that does not look like one', async () => {
    const clients = createClients();
    clients.add(windowWith({ [askEditorModel.method]: () => ({ kind: 'answer', text: 7 }) }));
    await expect(all(editorModel({ clients, model: 'v/m' }), 1)).rejects.toThrow(/none is connected/);
  });
});

describe('a provider', () => {
  const context = (environment: Record<string, string>, answers: Answers = {}) => {
    const clients = createClients();
    const peer = windowWith(answers);
    clients.add(peer);
    return { providers: createProviders({ clients, environment, log }), peer };
  };

  it('is the one of the user’s settings, then of the environment, then a known one', async () => {
    const { baseURL, seen } = await serve(completion('4'));
    const own = (providers: unknown) => ({ [askProviders.method]: () => ({ providers }) });
    const first = context(
      { RATCHET_PROVIDERS: '{"mine":{"baseURL":"https://never.invalid/v1"}}' },
      own({ mine: { baseURL } }),
    );
    expect(await all(await first.providers.model('mine/m'), 1)).toHaveProperty('size', 1);
    const second = context(
      { RATCHET_PROVIDERS: JSON.stringify({ mine: { baseURL } }) },
      { [askProviders.method]: () => null },
    );
    expect(await all(await second.providers.model('mine/a/b'), 1)).toHaveProperty('size', 1);
    const third = context({ RATCHET_OPENAI_BASE_URL: baseURL });
    expect(await all(await third.providers.model('openai/m'), 1)).toHaveProperty('size', 1);
    expect(seen.map(({ body }) => body['model'])).toEqual(['m', 'a/b', 'm']);
    for (const id of ['ollama', 'lmstudio', 'llamacpp', 'vllm', 'openrouter'])
      expect((await context({}).providers.model(`${id}/m`)).name).toBe(`${id}/m`);
  });

  it('takes its prices from the settings', async () => {
    const providers = { p: { baseURL: 'https://example.com/v1', prices: { m: { input: 2, output: 8 } } } };
    const { providers: made } = context({ RATCHET_PROVIDERS: JSON.stringify(providers) });
    expect((await made.model('p/m')).price).toEqual({ input: 2, output: 8 });
    expect((await made.model('p/other')).price).toBeNull();
  });

  it('says in one sentence what is wrong with it', async () => {
    const own = {
      a: { headers: { Authorization: 'Bearer x' } },
      b: { baseURL: 'https://u:p@example.com' },
      c: { baseURL: 'http://example.com/v1' },
      d: {},
      e: 'https://example.com',
      f: { baseURL: 'https://example.com', headers: { 'X-Secret': 'y' } },
      g: { baseURL: 'https://example.com', headers: { note: 'sk-abcdefgh' } },
      h: { baseURL: 'https://example.com', colour: 'red' },
    };
    const { providers } = context({ RATCHET_PROVIDERS: JSON.stringify(own) });
    const said: Record<string, RegExp> = {
      'a/m': /may carry a key/,
      'b/m': /user name or password/,
      'c/m': /must begin with https/,
      'd/m': /has no baseURL/,
      'e/m': /cannot be used/,
      'f/m': /may carry a key/,
      'g/m': /may carry a key/,
      'h/m': /cannot be used/,
      'nobody/m': /There is no provider "nobody"; a recipe may name pocket, editor, /,
      'https://evil.example/v1/m': /There is no provider "https:"/,
      openai: /names no model/,
      editor: /names no model/,
      'openai/m': /no key for provider openai/,
      '__proto__/m': /There is no provider|cannot be used/,
    };
    for (const [name, pattern] of Object.entries(said))
      await expect(providers.model(name), name).rejects.toThrow(pattern);
    await expect(context({ RATCHET_PROVIDERS: '{' }).providers.model('x/m')).rejects.toThrow(/is not JSON/);
  });

  it('has its key from a window once, and again when that says it changed', async () => {
    const { baseURL, seen } = await serve(completion('4'));
    let key = 'k-one';
    const { providers, peer } = context(
      {},
      {
        [askProviders.method]: () => ({ providers: { mine: { baseURL } } }),
        [askKey.method]: ({ origin }: { origin: string }) => ({
          key: baseURL.startsWith(`${origin}/`) ? key : null,
        }),
      },
    );
    const model = await providers.model('mine/m');
    await all(model, 5);
    expect(peer.asked.filter((method) => method === askKey.method)).toHaveLength(1);
    key = 'k-two';
    providers.forgetKeys();
    await all(model, 1);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      ...Array<string>(5).fill('Bearer k-one'),
      'Bearer k-two',
    ]);
  });

  it('has the environment’s key only where that was meant to go', () => {
    const environment = {
      OPENAI_API_KEY: 'k',
      OPENROUTER_API_KEY: 'r',
      RATCHET_OPENAI_BASE_URL: 'https://mine.example/v1',
    };
    const key = (id: string, origin: string, keyVariable: string | null = null) =>
      environmentKey({ settings: { id, keyVariable }, origin }, environment);
    expect(key('openai', 'https://api.openai.com')).toBe('k');
    expect(key('openai', 'https://mine.example')).toBe('k');
    expect(key('other', 'https://mine.example')).toBeNull();
    expect(key('openai', 'https://evil.example')).toBeNull();
    expect(key('openrouter', 'https://openrouter.ai', 'OPENROUTER_API_KEY')).toBe('r');
    expect(key('mine', 'https://other.example', 'OPENAI_API_KEY')).toBe('k');
    expect(key('mine', 'https://other.example', 'NOT_SET')).toBeNull();
  });

  it('loses the built-in variable with the built-in address', async () => {
    const { baseURL, seen } = await serve(completion('4'));
    const environment = {
      OPENROUTER_API_KEY: 'r',
      RATCHET_PROVIDERS: JSON.stringify({ openrouter: { baseURL } }),
    };
    await all(await createProviders({ clients: noClients, environment, log }).model('openrouter/m'), 1);
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });
});
