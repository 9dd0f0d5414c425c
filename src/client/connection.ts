/**
 * Owns what a client (editor window, command line) sees of the workspace's engine process: typed requests and notifications.
 * Deliberately says nothing of how the process is found or started; that is client/connect.ts.
 */
import type { ClientRequest } from '../protocol/clientRequests.ts';
import type { HelloResult, NotificationDescriptor, RequestDescriptor } from '../protocol/engine.ts';

export interface EngineConnection {
  readonly hello: HelloResult;
  /** Rejects with EngineError: its message is the one sentence a person reads. */
  request<Params, Result>(descriptor: RequestDescriptor<Params, Result>, params: Params): Promise<Result>;
  /** Returns the function that ends the subscription. */
  on<Payload>(descriptor: NotificationDescriptor<Payload>, handler: (payload: Payload) => void): () => void;
  /** Called once, when the process or the socket is gone, also after close(). */
  onClosed(handler: () => void): () => void;
  close(): void;
}

/** What the engine, or the way to it, refused. `kind` lets a caller act; `message` is for people. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind:
    | 'invalid'
    | 'notFound'
    | 'busy'
    | 'changed'
    | 'store'
    /** The workspace's database is not as it was written; `restoreStore` puts a backup in its place. */
    | 'damaged'
    | 'provider'
    | 'unreachable'
    | 'internal';
  constructor(kind: EngineError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export interface ConnectOptions {
  /** Absolute path of the workspace folder; its `.ratchet` folder holds the database. */
  readonly workspaceFolder: string;
  /** Absolute path of the engine's bundle (dist/engine.mjs). */
  readonly engineScript: string;
  /** Executable that runs it: process.execPath; the editor's own is run as plain Node (ELECTRON_RUN_AS_NODE). */
  readonly nodePath: string;
  readonly client: 'editor' | 'cli';
  /** The client's version (package.json). */
  readonly version: string;
  /** 'never' only attaches to a running engine and resolves to null when there is none. */
  readonly start: 'ifNeeded' | 'never';
  /** Extra environment of a started engine; never a key. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What the engine may ask this client; nothing where absent. */
  readonly answers?: readonly ClientAnswer[];
}

/** How a client answers one request of the engine. */
export interface ClientAnswer {
  readonly method: string;
  /** Rejects with EngineError('invalid') for parameters that do not pass the guard. */
  readonly answer: (params: unknown, signal: AbortSignal) => Promise<unknown>;
}

export function answering<Params, Answer>(
  request: ClientRequest<Params, Answer>,
  handle: (params: Params, signal: AbortSignal) => Promise<Answer>,
): ClientAnswer {
  return {
    method: request.method,
    answer: async (params, signal) => {
      const read = request.params.safeParse(params);
      if (!read.success)
        throw new EngineError('invalid', `The request ${request.method} was not understood.`);
      return handle(read.data, signal);
    },
  };
}
