/**
 * Owns one client's conversation from its first byte: nothing but a greeting with the right token is heard first, then each
 * request goes to its method. Deliberately holds no state of the workspace.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  CancellationTokenSource,
  createMessageConnection,
  Message,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';
import { EngineError } from '../client/connection.ts';
import type { Log } from '../core/ports.ts';
import { hello, PROTOCOL_VERSION, type HelloResult } from '../protocol/engine.ts';
import type { Send } from './delivery.ts';
import { asEngineError, asResponse } from './errors.ts';
import type { Peer } from './clients.ts';
import { checked } from './method.ts';
import type { Methods } from './methods.ts';

/** A client that has shown the token: told things, and asked for what stays with it. */
export interface Greeted {
  readonly send: Send;
  readonly peer: Peer;
}

export interface GreetingContext {
  readonly token: string;
  readonly version: string;
  readonly methods: Methods;
  readonly log: Log;
  /** The client has shown the token. Returns what to do when it is gone. */
  readonly onGreeted: (client: Greeted) => () => void;
}

const greetingLimitMs = 5_000;
const hangUpLimitMs = 1_000;
/** Nobody needs more at once; a client that never reads its answers cannot fill the memory with them. */
const mostRequests = 256;

export interface Conversation {
  /** Hangs up once every answer that is due has left, or did not within a second. */
  readonly close: () => Promise<void>;
}

export function converse(socket: Socket, context: GreetingContext): Conversation {
  const { log } = context;
  const writer = new AnsweringWriter(socket);
  const wire = createMessageConnection(new SocketMessageReader(socket), writer);
  let state: 'new' | 'compatible' | 'foreign' = 'new';
  let leave: () => void = () => undefined;
  let underway = 0;
  const late = setTimeout(() => socket.destroy(), greetingLimitMs);

  const greet = (params: unknown): HelloResult => {
    const greeting = checked(hello, params);
    if (!sameText(greeting.token, context.token)) {
      throw new EngineError('unreachable', "The engine refused this client's token; try again.");
    }
    const compatible = greeting.protocol === PROTOCOL_VERSION && greeting.version === context.version;
    state = compatible ? 'compatible' : 'foreign';
    clearTimeout(late);
    leave = context.onGreeted({
      send: (method, payload) => wire.sendNotification(method, payload),
      // A window of another version may mean something else by the same words.
      peer: { kind: compatible ? greeting.client : 'cli', ask: (...asked) => askOver(wire, ...asked) },
    });
    log.info('client joined', { client: greeting.client, version: greeting.version, compatible });
    return { protocol: PROTOCOL_VERSION, version: context.version, pid: process.pid, compatible };
  };

  const answer = async (method: string, params: unknown): Promise<unknown> => {
    if (method === hello.method && state === 'new') return greet(params);
    if (state === 'new') throw new EngineError('unreachable', 'The engine answers after a greeting only.');
    const found = context.methods.get(method);
    if (found === undefined)
      throw new EngineError('invalid', `This engine does not know the request ${method}.`);
    if (state === 'foreign' && !found.always) {
      throw new EngineError(
        'invalid',
        `The engine is of version ${context.version}; restart it to go on with this one.`,
      );
    }
    if (underway >= mostRequests)
      throw new EngineError('busy', 'Too many requests at once; wait for some answers.');
    underway++;
    try {
      return await found.call(params);
    } finally {
      underway--;
    }
  };

  const close = async () => {
    await writer.settled(hangUpLimitMs);
    socket.end();
  };

  wire.onRequest(async (method: string, params: unknown) => {
    writer.due++;
    try {
      return await answer(method, params);
    } catch (error) {
      const told = asEngineError(error);
      if (told.kind === 'internal' || told.kind === 'store' || told.kind === 'damaged')
        log.error(`request ${method} failed`, error);
      if (state === 'new') void close();
      return asResponse(told);
    }
  });
  wire.onNotification((method: string) =>
    log.warn('a client sent a notification nobody asked for', { method }),
  );
  wire.onError(() => socket.destroy());
  wire.onClose(() => wire.dispose());
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(late);
    leave();
    leave = () => undefined;
    wire.dispose();
  });
  wire.listen();
  return { close };
}

/** Tells the client when the answer is no longer wanted. */
async function askOver(
  wire: MessageConnection,
  method: string,
  params: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const source = new CancellationTokenSource();
  const cancel = () => source.cancel();
  signal.addEventListener('abort', cancel);
  try {
    return await wire.sendRequest(method, params, source.token);
  } finally {
    signal.removeEventListener('abort', cancel);
    source.dispose();
  }
}

/** Knows when the answers that are due have left: hanging up before would lose the very sentence that says why. */
class AnsweringWriter extends SocketMessageWriter {
  due = 0;
  #waiting: (() => void)[] = [];

  override async write(message: Message): Promise<void> {
    try {
      await super.write(message);
    } finally {
      if (Message.isResponse(message)) this.due--;
      if (this.due === 0) for (const done of this.#waiting.splice(0)) done();
    }
  }

  settled(limitMs: number): Promise<void> {
    if (this.due === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Takes the same time whatever the text, so that a token cannot be guessed byte by byte. */
function sameText(given: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}
