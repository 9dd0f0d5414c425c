/**
 * Owns asking the connected windows for what stays with them: settings, keys, editor models. Newest window first; one that
 * cannot is passed over. Deliberately knows neither sockets nor what the answers mean.
 */
import type { ClientRequest } from '../protocol/clientRequests.ts';

/** One connected client, as the engine asks it. */
export interface Peer {
  readonly kind: 'editor' | 'cli';
  /** Rejects when the client refuses, does not know the request, or is gone. */
  ask(method: string, params: unknown, signal: AbortSignal): Promise<unknown>;
}

export interface Asking<Answer> {
  readonly limitMs: number;
  readonly signal?: AbortSignal;
  /** False for an answer with which another window should be asked. */
  readonly takes?: (answer: Answer) => boolean;
}

/** `lost`: a window that was asked went away before it answered, and no other one gave an answer. */
export type Asked<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'ended' };

export interface Clients {
  /** Returns the function that removes the client. */
  readonly add: (peer: Peer) => () => void;
  readonly ask: <Params, Answer>(
    request: ClientRequest<Params, Answer>,
    params: Params,
    asking: Asking<Answer>,
  ) => Promise<Asked<Answer>>;
  /** Resolves true when a window joins, false after `limitMs` or when `signal` aborts. */
  readonly arrival: (limitMs: number, signal: AbortSignal) => Promise<boolean>;
}

/** An engine whose clients are asked nothing: a command line on its own. */
export const noClients: Clients = {
  add: () => () => undefined,
  ask: async () => ({ kind: 'nobody' }),
  arrival: async () => false,
};

export function createClients(): Clients {
  const windows = new Set<Peer>();
  const waiting = new Set<() => void>();

  const ask: Clients['ask'] = async (request, params, { limitMs, signal, takes }) => {
    let lost = false;
    for (const peer of [...windows].reverse()) {
      const limit = AbortSignal.any([
        AbortSignal.timeout(limitMs),
        ...(signal === undefined ? [] : [signal]),
      ]);
      const answer = await settled(peer.ask(request.method, params, limit), limit);
      if (signal?.aborted === true) return { kind: 'ended' };
      lost ||= answer === null && !windows.has(peer);
      if (answer === null) continue;
      const read = request.answer.safeParse(answer.value);
      if (read.success && takes?.(read.data) !== false) return { kind: 'answered', answer: read.data };
    }
    return { kind: lost ? 'lost' : 'nobody' };
  };

  return {
    ask,
    add: (peer) => {
      if (peer.kind !== 'editor') return () => undefined;
      windows.add(peer);
      for (const arrived of [...waiting]) arrived();
      return () => void windows.delete(peer);
    },
    arrival: (limitMs, signal) =>
      new Promise((resolve) => {
        const end = (there: boolean) => {
          clearTimeout(timer);
          waiting.delete(arrived);
          signal.removeEventListener('abort', stopped);
          resolve(there);
        };
        const arrived = () => end(true);
        const stopped = () => end(false);
        const timer = setTimeout(stopped, limitMs);
        waiting.add(arrived);
        signal.addEventListener('abort', stopped);
        if (signal.aborted) stopped();
      }),
  };
}

/** Null where the client gave no answer, for whatever reason, in the time it had. */
function settled(answer: Promise<unknown>, limit: AbortSignal): Promise<{ readonly value: unknown } | null> {
  return new Promise((resolve) => {
    const over = () => resolve(null);
    limit.addEventListener('abort', over, { once: true });
    answer.then((value) => resolve({ value }), over).finally(() => limit.removeEventListener('abort', over));
  });
}
