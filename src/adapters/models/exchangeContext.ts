/**
 * Owns what travels beside the client library from a call to its exchange and back: the signal that ends it, what is sent
 * where that is a file, and the answer, read once. Through the library itself, each would cost a copy: signals are
 * composed, bodies streamed anew.
 * Deliberately a plain record in Node's own context of asynchronous calls; nothing of it reaches the network.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { HeaderReader } from './rateHeaders.ts';

/** A body made piece by piece, anew for each try. */
export interface Upload {
  readonly contentType: string;
  /** Bytes in all. */
  readonly length: number;
  readonly pieces: () => Iterable<Uint8Array>;
}

export interface ExchangeContext {
  readonly signal: AbortSignal;
  /** Sent instead of the client's body. */
  readonly upload?: Upload | null;
  /**
   * Set where the answer is a file of JSON Lines: given each line, null for one that is not JSON. What it gives back is waited
   * for before more is read.
   */
  readonly onLine?: ((line: unknown) => Promise<void> | null) | null;
  /** Set when the exchange brought an answer. */
  answer: { readonly body: unknown; readonly headers: HeaderReader } | null;
}

export const exchangeContext = new AsyncLocalStorage<ExchangeContext>();
