/**
 * Owns what model calls cost: a dated table of list prices, the user's own prices before it, and the sum of one call.
 * Deliberately guesses nothing: a model not named here, by exactly this name at exactly this host, has an unknown price
 * (null, never 0); snapshots, gateways and fine-tuned models have prices of their own.
 */

/** US dollars for a million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
}

export interface PriceRow extends ModelPrice {
  /** Host of the endpoint, with its port where it has one. */
  readonly host: string;
  readonly model: string;
  /** When it was looked up, YYYY-MM. */
  readonly asOf: string;
  /** Where. */
  readonly source: string;
  /** What a token costs in a batch, as a share of this price; not known when absent. */
  readonly batchShare?: number;
}

const openAi = (model: string, input: number, output: number, source: string): PriceRow => ({
  host: 'api.openai.com',
  model,
  input,
  output,
  asOf: '2026-11',
  source,
  // "50 % lower" than the same calls made directly, for every model that takes batches (guides/batch).
  batchShare: 0.5,
});

/** OpenAI's own page of the model. */
const ownPage = (model: string): string => `developers.openai.com/api/docs/models/${model}`;
/** What a gateway that passes OpenAI's rate on says it is. */
const gateway = (model: string): string =>
  `vercel.com/ai-gateway/models/${model}, where OpenAI is listed (second-hand)`;

/**
 * Standard rate, without caching or batch discounts: what a call costs at most. Where OpenAI's own page of a model could
 * not be read, the source says so. `gpt-5`: the input is on OpenAI's page of gpt-5.1, the output is second-hand.
 */
export const listPrices: readonly PriceRow[] = [
  openAi('gpt-5.4-mini', 0.75, 4.5, 'developers.openai.com/docs/models'),
  openAi('gpt-5.1', 1.25, 10, ownPage('gpt-5.1')),
  openAi('gpt-5', 1.25, 10, 'deploybase.ai/articles/openai-pricing, of 2026-03 (second-hand)'),
  openAi('gpt-5-mini', 0.25, 2, ownPage('gpt-5-mini')),
  openAi('gpt-5-nano', 0.05, 0.4, ownPage('gpt-5-nano')),
  openAi('gpt-4.1', 2, 8, gateway('gpt-4.1')),
  openAi('gpt-4.1-mini', 0.4, 1.6, gateway('gpt-4.1-mini')),
  openAi('gpt-4.1-nano', 0.1, 0.4, ownPage('gpt-4.1-nano')),
  openAi('gpt-4o', 2.5, 10, 'deploybase.ai/articles/openai-pricing, of 2026-03 (second-hand)'),
  openAi('gpt-4o-mini', 0.15, 0.6, gateway('gpt-4o-mini')),
];

/** A price that can be counted with: finite and not negative; 0 is a price, for a model that costs nothing. */
export function isPrice({ input, output }: ModelPrice): boolean {
  return [input, output].every((part) => Number.isFinite(part) && part >= 0);
}

/** `own` are the user's prices, which go first; a row among them that is no price makes the price unknown. */
export function priceOf(host: string, model: string, own: readonly PriceRow[]): ModelPrice | null {
  const row = [...own, ...listPrices].find((each) => each.host === host && each.model === model);
  return row === undefined || !isPrice(row) ? null : { input: row.input, output: row.output };
}

/** The price of the same tokens in a batch; null where it is not known. */
export function batchPriceOf(host: string, model: string, own: readonly PriceRow[]): ModelPrice | null {
  const row = [...own, ...listPrices].find((each) => each.host === host && each.model === model);
  const price = priceOf(host, model, own);
  const share = row?.batchShare;
  if (price === null || share === undefined) return null;
  const reduced = { input: price.input * share, output: price.output * share };
  return isPrice(reduced) ? reduced : null;
}

/**
 * What so many tokens cost, in whole billionths of a dollar, rounded up: whole numbers add up the same in any order, and
 * a million dollars of them is still exact.
 */
export function costOf(price: ModelPrice, inputTokens: number, outputTokens: number): number {
  // A dollar per million tokens is a thousand billionths per token; the product's own error must not round up.
  const exact = (price.input * inputTokens + price.output * outputTokens) * 1000;
  return Math.ceil(exact - exact * 1e-12);
}

/** Billionths in a dollar. */
export const perDollar = 1e9;
