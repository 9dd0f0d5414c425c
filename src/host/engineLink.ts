/**
 * Owns the window's one connection to the workspace's engine: a single state everything asks, requests that wait for it,
 * subscriptions that outlive a reconnect. Deliberately knows no editor API: how to connect is handed in.
 */
import type { EngineConnection } from '../client/connection.ts';
import { EngineError } from '../client/connection.ts';
import { shutdown, type NotificationDescriptor, type RequestDescriptor } from '../protocol/engine.ts';

export type LinkState =
  /** Nobody asked for it yet, or there is no engine and none was to be started. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open'; readonly connection: EngineConnection }
  /** `message` is one sentence for a person. */
  | { readonly kind: 'failed'; readonly message: string };

/** Null only for 'never', when no engine is there. Rejects with EngineError. */
export type Connect = (start: 'ifNeeded' | 'never') => Promise<EngineConnection | null>;

export interface EngineLink {
  readonly state: () => LinkState;
  onState(listener: (state: LinkState) => void): () => void;
  /** Connects where needed. Rejects with EngineError; the state then is 'failed' until `retry`. */
  connect(start: 'ifNeeded' | 'never'): Promise<EngineConnection | null>;
  /** Starts the engine where needed. Rejects with EngineError, whose message is for people. */
  request<Params, Result>(descriptor: RequestDescriptor<Params, Result>, params: Params): Promise<Result>;
  on<Payload>(descriptor: NotificationDescriptor<Payload>, handler: (payload: Payload) => void): () => void;
  /** Forgets a failure and connects again. */
  retry(): Promise<void>;
  /** Asks the engine to end between rounds and starts it anew. */
  restart(): Promise<void>;
  close(): void;
}

export interface LinkOptions {
  readonly connect: Connect;
  /** Why no engine may be started now, as a sentence; null when one may. One that runs is joined either way. */
  readonly startRefusal?: () => string | null;
  readonly log: (message: string, error?: unknown) => void;
  /** Milliseconds from an arbitrary start. */
  readonly now: () => number;
}

interface Subscription {
  readonly descriptor: NotificationDescriptor<unknown>;
  readonly handler: (payload: unknown) => void;
  end: (() => void) | null;
}

/** An engine that keeps going away is not brought back more often than this many times a minute. */
const reconnectsAMinute = 3;

function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new EngineError('internal', `The engine could not be reached: ${detail}`, { cause: error });
}

class Link implements EngineLink {
  readonly #options: LinkOptions;
  readonly #listeners = new Set<(state: LinkState) => void>();
  readonly #subscriptions = new Set<Subscription>();
  #state: LinkState = { kind: 'idle' };
  #pending: Promise<EngineConnection | null> | null = null;
  #reconnects: number[] = [];
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  readonly state = (): LinkState => this.#state;

  onState(listener: (state: LinkState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async connect(start: 'ifNeeded' | 'never'): Promise<EngineConnection | null> {
    if (this.#closed) throw new EngineError('unreachable', 'This window is closing.');
    if (this.#state.kind === 'open') return this.#state.connection;
    if (this.#state.kind === 'failed') throw new EngineError('unreachable', this.#state.message);
    const refused = this.#options.startRefusal?.() ?? null;
    if (refused !== null) return (this.#pending ??= this.#open('never'));
    const found = await (this.#pending ??= this.#open(start));
    // A look that was not to start anything may have been under way when something was asked for in earnest.
    return found === null && start === 'ifNeeded' && this.#state.kind === 'idle'
      ? this.connect(start)
      : found;
  }

  async request<Params, Result>(
    descriptor: RequestDescriptor<Params, Result>,
    params: Params,
  ): Promise<Result> {
    const connection = await this.connect('ifNeeded');
    if (connection === null)
      throw new EngineError('unreachable', this.#options.startRefusal?.() ?? 'The engine did not start.');
    return connection.request(descriptor, params);
  }

  on<Payload>(descriptor: NotificationDescriptor<Payload>, handler: (payload: Payload) => void): () => void {
    const subscription: Subscription = {
      descriptor,
      handler: (payload) => handler(payload as Payload),
      end: null,
    };
    this.#subscriptions.add(subscription);
    if (this.#state.kind === 'open') this.#attach(subscription, this.#state.connection);
    return () => {
      subscription.end?.();
      this.#subscriptions.delete(subscription);
    };
  }

  async retry(): Promise<void> {
    if (this.#state.kind === 'failed') this.#become({ kind: 'idle' });
    this.#reconnects = [];
    await this.connect('ifNeeded');
  }

  async restart(): Promise<void> {
    const { connection } = this.#state as { connection?: EngineConnection };
    if (connection !== undefined) {
      await connection.request(shutdown, {});
      // First, so that the engine's going away is not taken for a loss.
      this.#become({ kind: 'idle' });
      connection.close();
    }
    await this.retry();
  }

  close(): void {
    this.#closed = true;
    if (this.#state.kind === 'open') this.#state.connection.close();
    this.#listeners.clear();
    this.#subscriptions.clear();
  }

  async #open(start: 'ifNeeded' | 'never'): Promise<EngineConnection | null> {
    this.#become({ kind: 'connecting' });
    try {
      const connection = await this.#options.connect(start);
      if (connection === null) {
        this.#become({ kind: 'idle' });
        return null;
      }
      if (this.#closed) {
        connection.close();
        throw new EngineError('unreachable', 'This window is closing.');
      }
      for (const subscription of this.#subscriptions) this.#attach(subscription, connection);
      connection.onClosed(() => this.#lost(connection));
      this.#become({ kind: 'open', connection });
      return connection;
    } catch (error) {
      const failure = asEngineError(error);
      this.#options.log(failure.message, error);
      this.#become({ kind: 'failed', message: failure.message });
      throw failure;
    } finally {
      this.#pending = null;
    }
  }

  #attach(subscription: Subscription, connection: EngineConnection): void {
    subscription.end?.();
    subscription.end = connection.on(subscription.descriptor, subscription.handler);
  }

  #lost(connection: EngineConnection): void {
    if (this.#closed || this.#state.kind !== 'open' || this.#state.connection !== connection) return;
    const now = this.#options.now();
    this.#reconnects = [...this.#reconnects.filter((time) => now - time < 60_000), now];
    if (this.#reconnects.length > reconnectsAMinute) {
      this.#become({
        kind: 'failed',
        message: 'The engine keeps ending. Look into the log, then press Retry.',
      });
      return;
    }
    this.#options.log('The engine is gone; connecting again.');
    this.#become({ kind: 'idle' });
    // Only a failure is worth knowing here, and #open has told it already.
    this.connect('ifNeeded').catch(() => undefined);
  }

  #become(state: LinkState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

export function createEngineLink(options: LinkOptions): EngineLink {
  return new Link(options);
}
