/** Owns reading JSON whose shape nobody promised. Deliberately has no schema: what is missing or odd is unknown. */
import type { ModelAnswer } from '../../core/ports.ts';

export type Json = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Tokens are counted in whole numbers from 0; anything else an endpoint says is unknown. */
export function tokenCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** Each one's part of a count, by its size; whole numbers whose sum is the count. Null where it is not known. */
export function shares(total: number | null, sizes: readonly number[]): readonly (number | null)[] {
  if (total === null) return sizes.map(() => null);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  let given = 0;
  return sizes.map((size) => {
    before += size;
    const due = all === 0 ? 0 : Math.round((total * before) / all);
    const part = due - given;
    given = due;
    return part;
  });
}

/** The model that answered, by the endpoint's word; `asked` where it gives none. */
export function modelNamed(value: unknown, asked: string): string {
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : asked;
}

export const failed = (reason: string): ModelAnswer => ({ ok: false, reason });
