/** Owns errors that come where an answer should be: with status 200, or as an event of a stream. Deliberately judges none. */
import { EndpointFault } from './endpointFault.ts';
import { objectOf } from './json.ts';

const statusOfWord: readonly (readonly [RegExp, number])[] = [
  [/quota|rate_limit|too_many/iu, 429],
  [/overloaded|unavailable/iu, 503],
  [/server_error|internal|api_error|bad_gateway/iu, 500],
  [/timeout/iu, 408],
  [/invalid_api_key|authentication|unauthorized/iu, 401],
  [/permission|forbidden/iu, 403],
  [/model_not_found/iu, 404],
];

/** The status an error stands for: its own, or that of its code or type; 400 when neither tells. */
function statusOf(error: unknown): number {
  const { code, status, type } = objectOf(error) ?? {};
  for (const value of [code, status]) {
    const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
    if (Number.isInteger(number) && number >= 400 && number <= 599) return number;
  }
  const words = [code, type].filter((word) => typeof word === 'string').join(' ');
  return statusOfWord.find(([word]) => word.test(words))?.[1] ?? 400;
}

/** Throws EndpointFault when `body` holds an error instead of an answer. */
export function throwErrorInside(body: unknown): void {
  const members = objectOf(body);
  const inside = members?.['error'];
  if (inside !== undefined && inside !== null) throw errorFault(inside);
  if (members?.['type'] === 'error') throw errorFault(members);
}

export function errorFault(error: unknown): EndpointFault {
  const text = JSON.stringify({ error });
  return new EndpointFault({ kind: 'status', status: statusOf(error), headers: new Headers(), text });
}
