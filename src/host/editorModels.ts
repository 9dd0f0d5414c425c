/**
 * Owns answering the engine with the language models of this editor (Copilot and any other registered one). A person's
 * consent follows a person's action: without one in this window, only models already allowed are asked. Deliberately bounds
 * how many calls are under way, and holds nothing of an answer.
 */
import * as vscode from 'vscode';
import type { EditorModelAnswer, EditorModelRequest } from '../protocol/clientRequests.ts';
import { type EditorChat, pickModel, readChatError, readWhole, withoutSystem } from './editorCalls.ts';

export interface EditorModels {
  /** Ids as a recipe writes them, vendor first. */
  readonly list: () => Promise<readonly string[]>;
  readonly answer: (request: EditorModelRequest, signal: AbortSignal) => Promise<EditorModelAnswer>;
  /** A person pressed Run, Resume or Test Connection here: the editor may ask for consent. */
  readonly acted: () => void;
}

const mostAtOnce = 16;
const justification = 'A loop you started asks this model for answers to its tasks.';

type Chat = EditorChat<vscode.LanguageModelChat>;

async function offered(): Promise<readonly Chat[]> {
  const models = await vscode.lm.selectChatModels();
  return models.map((model) => ({ vendor: model.vendor, family: model.family, id: model.id, model }));
}

/** At most so many pieces of work at once, in the order they came. */
function lanes(most: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

async function send(
  { model }: Chat,
  request: EditorModelRequest,
  signal: AbortSignal,
): Promise<EditorModelAnswer> {
  const { temperature, maxTokens, seed } = request;
  const cancelling = new vscode.CancellationTokenSource();
  const cancel = () => cancelling.cancel();
  signal.addEventListener('abort', cancel);
  try {
    if (signal.aborted) return { kind: 'elsewhere', reason: 'The call is no longer wanted.' };
    const messages = withoutSystem(request.messages).map(({ role, content }) =>
      role === 'user'
        ? vscode.LanguageModelChatMessage.User(content)
        : vscode.LanguageModelChatMessage.Assistant(content),
    );
    // Which of these a model takes is its maker's to say; one it does not know it passes over.
    const modelOptions = { temperature, max_tokens: maxTokens, seed };
    const response = await model.sendRequest(messages, { justification, modelOptions }, cancelling.token);
    const text = await readWhole(response.text);
    return text === null
      ? { kind: 'item', reason: 'the answer is larger than 8 MB' }
      : { kind: 'answer', text, model: `${model.vendor}/${model.id}` };
  } finally {
    signal.removeEventListener('abort', cancel);
    cancelling.cancel();
    cancelling.dispose();
  }
}

export function createEditorModels(context: vscode.ExtensionContext): EditorModels {
  const inLane = lanes(mostAtOnce);
  let hasActed = false;
  const mayAsk = ({ model }: Chat): boolean =>
    hasActed || context.languageModelAccessInformation.canSendRequest(model) === true;
  return {
    acted: () => {
      hasActed = true;
    },
    list: async () => (await offered()).map(({ vendor, id }) => `${vendor}/${id}`),
    answer: (request, signal) =>
      inLane(async () => {
        const { model: wanted } = request;
        try {
          const chats = await offered();
          const chat = pickModel(wanted, chats);
          if (chat === null) {
            const names = chats.slice(0, 5).map(({ vendor, id }) => `${vendor}/${id}`);
            const list = names.length === 0 ? 'it offers none' : `it offers ${names.join(', ')}`;
            return {
              kind: 'elsewhere',
              reason: `This editor offers no model "${wanted}" (${list}); pick another one, then resume.`,
            };
          }
          if (!mayAsk(chat))
            return {
              kind: 'elsewhere',
              reason: `The editor asks for your consent before ${wanted} may be used; press Resume in its window.`,
            };
          return await send(chat, request, signal);
        } catch (error) {
          return readChatError(wanted, error);
        }
      }),
  };
}
