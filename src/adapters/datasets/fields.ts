/**
 * Owns taking fields out of a row: by name, by path, as text. Deliberately reads own fields of plain data only and changes
 * no text: what cannot be kept exactly is a reason.
 */

export type Row = Readonly<Record<string, unknown>>;

export type Text =
  | { readonly ok: true; readonly text: string | null }
  | { readonly ok: false; readonly reason: string };

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path: a field of that very name first, else part by part, numbers counting in lists. Undefined when absent. */
export function valueAt(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, path)) return (value as Row)[path];
  const dot = path.indexOf('.');
  if (dot < 0) return undefined;
  const head = path.slice(0, dot);
  return Object.hasOwn(value, head) ? valueAt((value as Row)[head], path.slice(dot + 1)) : undefined;
}

/** A value as text; null when absent, null or blank. Numbers and booleans are written out. `name` is for the reason. */
export function textOf(value: unknown, name: string): Text {
  switch (typeof value) {
    case 'undefined':
      return { ok: true, text: null };
    case 'string':
      if (!value.isWellFormed())
        return { ok: false, reason: `"${name}" holds half a character (a lone surrogate)` };
      return { ok: true, text: value.trim() === '' ? null : value };
    case 'boolean':
      return { ok: true, text: String(value) };
    case 'number':
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
        return { ok: false, reason: `"${name}" is a number too large to keep exactly; put it in quotes` };
      return { ok: true, text: String(value) };
    default:
      return value === null ? { ok: true, text: null } : { ok: false, reason: `"${name}" must be text` };
  }
}
