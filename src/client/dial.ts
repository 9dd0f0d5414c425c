/**
 * Owns one conversation with an engine over its socket: the greeting, typed requests and notifications, and errors as
 * EngineError. Deliberately neither finds nor starts the engine.
 */
import { connect as openSocket, type Socket } from 'node:net';
import {
  ErrorCodes,
  ResponseError,
  type CancellationToken,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import {
  hello,
  PROTOCOL_VERSION,
  type HelloResult,
  type NotificationDescriptor,
  type RequestDescriptor,
} from '../protocol/engine.ts';
import { EngineError, type ClientAnswer, type ConnectOptions, type EngineConnection } from './connection.ts';
import { openWire, type Wire } from './wire.ts';

const kinds: readonly EngineError['kind'][] = [
  'invalid',
  'notFound',
  'busy',
  'store',
  'damaged',
  'provider',
  'changed',
  'unreachable',
  'internal',
];

export interface Dialled {
  readonly address: string;
  readonly token: string;
  readonly limitMs: number;
}

/**
 * The conversation, or 'nobody' when nobody listens there or the engine was just ending, or 'silent' when the process is
 * there but has not answered within the limit. Throws EngineError when it refuses.
 */
export async function dial(
  target: Dialled,
  who: Pick<ConnectOptions, 'client' | 'version' | 'answers'>,
): Promise<EngineConnection | 'nobody' | 'silent'> {
  const socket = await open(target.address, target.limitMs);
  if (typeof socket === 'string') return socket;
  const wire = openWire(socket);
  answerEngine(wire.connection, who.answers ?? []);
  const over = wire.over.then(() => 'nobody' as const);
  let timer: NodeJS.Timeout | undefined;
  const silent = new Promise<'silent'>((resolve) => {
    timer = setTimeout(() => resolve('silent'), target.limitMs);
  });
  try {
    const greeting = ask(wire.connection, hello, {
      token: target.token,
      protocol: PROTOCOL_VERSION,
      version: who.version,
      client: who.client,
    });
    greeting.catch(() => undefined);
    const answer = await Promise.race([greeting, silent, over]);
    if (typeof answer !== 'string') return conversation(wire, answer);
    wire.close();
    return answer;
  } catch (error) {
    wire.close();
    if (error instanceof EngineError && error.kind === 'unreachable') return 'nobody';
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function open(address: string, limitMs: number): Promise<Socket | 'nobody' | 'silent'> {
  return new Promise((resolve) => {
    const socket = openSocket(address);
    const settle = (result: Socket | 'nobody' | 'silent') => {
      clearTimeout(timer);
      if (result !== socket) socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => settle('silent'), limitMs);
    socket.once('connect', () => settle(socket));
    // The listener stays: a socket that breaks later also closes, which is what the rest listens to.
    socket.on('error', () => settle('nobody'));
  });
}

function conversation(wire: Wire, greeting: HelloResult): EngineConnection {
  const { connection } = wire;
  const watchers = new Set<() => void>();
  const handlers = new Map<string, Set<(payload: unknown) => void>>();
  let gone = false;
  connection.onNotification((method: string, payload: unknown) => {
    for (const handler of handlers.get(method) ?? []) handler(payload);
  });
  void wire.over.then(() => {
    gone = true;
    for (const watcher of watchers) watcher();
    watchers.clear();
  });
  return {
    hello: greeting,
    request: async (descriptor, params) => {
      if (gone) throw lost();
      return ask(connection, descriptor, params);
    },
    on<Payload>(descriptor: NotificationDescriptor<Payload>, handler: (payload: Payload) => void) {
      const own = (payload: unknown) => handler(payload as Payload);
      const present = handlers.get(descriptor.method) ?? new Set();
      handlers.set(descriptor.method, present.add(own));
      return () => void present.delete(own);
    },
    onClosed(handler) {
      watchers.add(handler);
      return () => void watchers.delete(handler);
    },
    close: wire.close,
  };
}

/** What fails here is told by name alone: its details may hold what stays with the window. */
function answerEngine(connection: MessageConnection, answers: readonly ClientAnswer[]): void {
  connection.onRequest(async (method: string, params: unknown, token: CancellationToken) => {
    const found = answers.find((each) => each.method === method);
    if (found === undefined) return new ResponseError(ErrorCodes.MethodNotFound, method);
    const ending = new AbortController();
    const watch = token.onCancellationRequested(() => ending.abort());
    if (token.isCancellationRequested) ending.abort();
    try {
      return await found.answer(params, ending.signal);
    } catch {
      return new ResponseError(ErrorCodes.InternalError, `${method} failed`);
    } finally {
      watch.dispose();
    }
  });
}

async function ask<Params, Result>(
  connection: MessageConnection,
  descriptor: RequestDescriptor<Params, Result>,
  params: Params,
): Promise<Result> {
  try {
    return await connection.sendRequest<Result>(descriptor.method, params);
  } catch (cause) {
    const kind =
      cause instanceof ResponseError ? (cause.data as { kind?: unknown } | undefined)?.kind : undefined;
    const known = kinds.find((one) => one === kind);
    if (known !== undefined) throw new EngineError(known, (cause as Error).message, { cause });
    throw lost(cause);
  }
}

function lost(cause?: unknown): EngineError {
  return new EngineError('unreachable', 'The connection to the engine was lost; try again.', { cause });
}
