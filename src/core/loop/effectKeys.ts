/**
 * Owns what identifies a model call: its place in a run and all that can change its answer (the effect's key), or the latter
 * alone (the request's key), by which an equal call is found wherever it was made.
 * Deliberately looks nothing up.
 */
import { hashOf } from '../measure/hash.ts';
import { asId, type EffectKey } from '../model/ids.ts';
import type { ModelRequest } from '../ports.ts';
import type { Call, EffectPlace } from './ledger.ts';

/** Members of a request that are absent leave keys as they were before there were such. */
function bodyOf(request: ModelRequest, seed: number | null) {
  const { messages, temperature, maxTokens, weights, responseFormat, logprobs } = request;
  const asked = messages.map(({ role, content }) => [role, content]);
  const { name, schema } = responseFormat ?? { name: null, schema: null };
  const extras =
    responseFormat === undefined && logprobs === undefined ? [] : [name, schema, logprobs ?? null];
  return [asked, temperature, maxTokens, seed, weights, ...extras];
}

/** Everything that can change an answer (design: the ledger); `again`, how often the ledger itself asked once more, counts unless it is 0. */
export function callKey(
  place: Pick<EffectPlace, 'step' | 'round'>,
  { item, sample, request, attempt = 0 }: Call,
  again: number,
  model: string,
): EffectKey {
  const body = bodyOf(request, request.seed);
  const tries = again === 0 ? attempt : [attempt, again];
  return asId<EffectKey>(hashOf(['model', place.step, place.round, item, sample, tries, body, model]));
}

/**
 * Of what is asked of whom, wherever in a run and in whichever run; null where an answer is one draw of many (temperature
 * above 0). `endpoint` is a hash of where the model answers. At temperature 0 nothing is drawn, so the seed is no part.
 */
export function requestKey(request: ModelRequest, model: string, endpoint: string): EffectKey | null {
  if (request.temperature !== 0) return null;
  return asId<EffectKey>(`request/${hashOf([endpoint, model, bodyOf(request, null)])}`);
}
