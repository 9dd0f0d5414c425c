/**
 * Owns what travels beside the client library from a call to its exchange and back: the signal that ends it, and the
 * answer, read once. Through the library itself, each would cost a copy: signals are composed, bodies streamed anew.
 * Deliberately a plain record in Node's own context of asynchronous calls; nothing of it reaches the network.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { HeaderReader } from './rateHeaders.ts';

export interface ExchangeContext {
  readonly signal: AbortSignal;
  /** Set when the exchange brought an answer. */
  answer: { readonly body: unknown; readonly headers: HeaderReader } | null;
}

export const exchangeContext = new AsyncLocalStorage<ExchangeContext>();
