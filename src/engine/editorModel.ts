/**
 * Owns the language models of the editor as the loop asks them: each call is carried out by a connected window. Where the
 * window goes away, another one or the same after its reload is waited for a little; then the run pauses with the reason.
 * Deliberately knows no vscode: what a window does with a call is host/editorModels.ts.
 */
import type { LanguageModel, ModelAnswer, ModelRequest, StopSignal } from '../core/ports.ts';
import { ProviderError } from '../core/ports.ts';
import { askEditorModel } from '../protocol/clientRequests.ts';
import { editorProvider } from '../protocol/providers.ts';
import type { Clients } from './clients.ts';

export interface EditorModelOptions {
  readonly clients: Pick<Clients, 'ask' | 'arrival'>;
  /** As the recipe names it: `vendor/family`, `vendor/id` or an id. */
  readonly model: string;
  /** Calls in flight, at most. */
  readonly concurrency?: number;
  /** How long a window that went away may take to come back, milliseconds. */
  readonly graceMs?: number;
}

const usualConcurrency = 4;
const usualGraceMs = 20_000;
const callLimitMs = 600_000;
const stopEveryMs = 50;
/** Failures in a row, none answered between, after which it is the model's doing and not the tasks'. */
const mostFailures = 8;

const noWindow =
  'Editor models answer through an editor window, and none is connected; open this workspace in the editor, then resume.';

interface Indexed {
  readonly index: number;
  readonly answer: ModelAnswer;
}

/** The usage of editor models is not told, so it stays unknown; so is their price. */
function answerOf(text: string, model: string): ModelAnswer {
  return {
    ok: true,
    text,
    finish: text === '' ? 'refusal' : 'stop',
    usage: { input: null, output: null },
    model,
    requestId: null,
  };
}

/** Null when `signal` ended it. Throws ProviderError when no window can answer. */
async function askWindow(
  { clients, model, graceMs = usualGraceMs }: EditorModelOptions,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<ModelAnswer | null> {
  const { messages, temperature, maxTokens, seed } = request;
  let elsewhere: string | null = null;
  for (;;) {
    const asked = await clients.ask(
      askEditorModel,
      { model, messages: [...messages], temperature, maxTokens, seed },
      {
        limitMs: callLimitMs,
        signal,
        takes: (answer) => {
          if (answer.kind === 'elsewhere') elsewhere = answer.reason;
          return answer.kind !== 'elsewhere';
        },
      },
    );
    switch (asked.kind) {
      case 'ended':
        return null;
      case 'nobody':
        throw new ProviderError(elsewhere ?? noWindow);
      case 'lost':
        if (await clients.arrival(graceMs, signal)) continue;
        if (signal.aborted) return null;
        throw new ProviderError(`The editor window that answered was closed. ${noWindow}`);
      case 'answered': {
        const { answer } = asked;
        if (answer.kind === 'answer') return answerOf(answer.text, answer.model);
        if (answer.kind === 'item') return { ok: false, reason: answer.reason };
        throw new ProviderError(answer.reason);
      }
    }
  }
}

/** Named `editor/` and the model as the recipe names it. Its price is unknown. */
export function editorModel(options: EditorModelOptions): LanguageModel {
  return {
    name: `${editorProvider}/${options.model}`,
    price: null,
    generate: (requests, stop) => answers(options, requests, stop),
  };
}

/** Answers as they come; what came before a failure is handed over before it is thrown. */
async function* answers(
  options: EditorModelOptions,
  requests: readonly ModelRequest[],
  stop: StopSignal,
): AsyncGenerator<Indexed> {
  if (requests.some(({ weights }) => weights !== null))
    throw new ProviderError(
      'Editor models cannot answer with weights trained here; use a model that can be trained.',
    );
  const ending = new AbortController();
  const finished: Indexed[] = [];
  let failure: { readonly error: unknown } | null = null;
  let next = 0;
  let wake = (): void => undefined;
  // What a model that fails every call did to them is no outcome of theirs: it is held back until another one is answered.
  const held: Indexed[] = [];
  const take = (item: Indexed): void => {
    held.push(item);
    if (item.answer.ok) {
      finished.push(...held.splice(0));
      wake();
    } else if (held.length >= mostFailures)
      throw new ProviderError(
        `The editor model ${options.model} failed ${mostFailures} calls in a row, last because ${item.answer.reason}; resume when it works.`,
      );
  };
  const work = async (): Promise<void> => {
    while (next < requests.length && !ending.signal.aborted && !stop.aborted) {
      const index = next++;
      const answer = await askWindow(options, requests[index] as ModelRequest, ending.signal);
      if (answer === null) return;
      take({ index, answer });
    }
  };
  const guarded = () =>
    work().catch((error: unknown) => {
      failure ??= { error };
      ending.abort();
    });
  const watch = setInterval(() => {
    if (stop.aborted) ending.abort();
  }, stopEveryMs);
  const workers = Math.min(options.concurrency ?? usualConcurrency, requests.length);
  let working = true;
  const all = Promise.all(Array.from({ length: workers }, guarded)).then(() => {
    if (failure === null && !ending.signal.aborted) finished.push(...held.splice(0));
    working = false;
    wake();
  });
  try {
    for (;;) {
      yield* finished.splice(0);
      if (finished.length > 0) continue;
      if (!working) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    rethrow(failure);
  } finally {
    ending.abort();
    clearInterval(watch);
    await all;
  }
}

function rethrow(failure: { readonly error: unknown } | null): void {
  if (failure !== null) throw failure.error;
}
