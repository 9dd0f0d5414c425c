/**
 * Owns whether an answer is JSON that fits a JSON Schema (drafts 4, 7, 2019-09, 2020-12). The rules of the drafts are a
 * library's (@cfworker/json-schema, which interprets a schema and generates no code); this file keeps what it is given
 * small and takes every regular expression of a schema away from it.
 * Deliberately fetches no schema, and checks only the formats whose check is quick on any text.
 */
import { type Schema, type SchemaDraft, Validator } from '@cfworker/json-schema';
import { noAnswer, type OpenGrade, right, shown, unknown, wrong } from './grade.ts';
import { compilePattern } from './pattern.ts';

/** Larger or deeper values are not checked: the drafts' rules compare many things with many. */
const mostNodes = 50_000;
const deepest = 200;
/** Where `uniqueItems`, `pattern` or `patternProperties` compare each with each. */
const mostCompared = 5_000;

const quickFormats = new Set([
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
]);

type Read = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

/** The JSON value of a text, which may stand in one Markdown code fence. Never throws. */
export function readJson(text: string): Read {
  const bare = text
    .trim()
    .replace(/^```[A-Za-z0-9]{0,20}[ \t]*(?=\n|[[{"])/u, '')
    .replace(/```$/u, '')
    .trim();
  try {
    return { ok: true, value: JSON.parse(bare) as unknown };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Inventory {
  readonly texts: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly longestArray: number;
}

/** The texts and names a value holds; null when it is too large or too deep. */
function inventory(value: unknown): Inventory | null {
  const texts = new Set<string>();
  const names = new Set<string>();
  let longestArray = 0;
  let nodes = 0;
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (++nodes > mostNodes || item.depth > deepest) return null;
    const { value: inner, depth } = item;
    if (typeof inner === 'string') texts.add(inner);
    if (Array.isArray(inner)) {
      longestArray = Math.max(longestArray, inner.length);
      if (inner.length > mostNodes) return null;
      for (const part of inner as readonly unknown[]) open.push({ value: part, depth: depth + 1 });
    } else if (isObject(inner)) {
      for (const [name, part] of Object.entries(inner)) {
        names.add(name);
        open.push({ value: part, depth: depth + 1 });
      }
    }
  }
  return { texts, names, longestArray };
}

const schemaKeywords = [
  'additionalItems',
  'unevaluatedItems',
  'items',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
];
const listKeywords = ['prefixItems', 'items', 'allOf', 'anyOf', 'oneOf'];
const mapKeywords = ['$defs', 'definitions', 'properties', 'dependentSchemas', 'dependencies'];

/** What makes a schema unusable here; the message is for people. */
class UnusableSchema extends Error {}

function matching(source: string, candidates: Iterable<string>): readonly string[] {
  const pattern = compilePattern(source, { dialect: 'javascript' });
  if (!pattern.ok) throw new UnusableSchema(`its pattern ${shown(source)} cannot be used: ${pattern.reason}`);
  return [...candidates].filter(pattern.test);
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);

/**
 * The schema with every regular expression answered beforehand: which of this value's own texts and names match is
 * found out by the linear-time engine, and the schema then lists those. Equivalent for this value and no other.
 */
function withoutPatterns(schema: unknown, found: Inventory): unknown {
  if (!isObject(schema)) return schema;
  const copy: Json = { ...schema };
  const inner = (value: unknown): unknown => withoutPatterns(value, found);
  for (const keyword of schemaKeywords) if (isObject(copy[keyword])) copy[keyword] = inner(copy[keyword]);
  for (const keyword of listKeywords) {
    const list = copy[keyword];
    if (Array.isArray(list)) copy[keyword] = list.map(inner);
  }
  for (const keyword of mapKeywords) {
    const map = copy[keyword];
    if (isObject(map)) copy[keyword] = mapValues(map, inner);
  }
  if (typeof copy['format'] === 'string' && !quickFormats.has(copy['format'])) delete copy['format'];
  if (copy['uniqueItems'] === true && found.longestArray > mostCompared)
    throw new UnusableSchema('the value has a list too long to look for repeated items');
  if (typeof copy['pattern'] === 'string') {
    const texts = matching(copy['pattern'], new Set([...found.texts, ...found.names]));
    if (texts.length > mostCompared) throw new UnusableSchema('the value has too many texts to match');
    delete copy['pattern'];
    const listed = { anyOf: [{ type: ['array', 'boolean', 'null', 'number', 'object'] }, { enum: texts }] };
    copy['allOf'] = [...(Array.isArray(copy['allOf']) ? (copy['allOf'] as unknown[]) : []), listed];
  }
  if (isObject(copy['patternProperties'])) {
    const entries = Object.entries(copy['patternProperties']).map(([source, value], index) => {
      const names = matching(source, found.names);
      if (names.length > mostCompared) throw new UnusableSchema('the value has too many names to match');
      // An empty group in front keeps two patterns that match the same names apart.
      const listed = names.length === 0 ? '(?!)' : `^(?:${names.map(literally).join('|')})$`;
      return ['(?:)'.repeat(index) + listed, inner(value)] as const;
    });
    copy['patternProperties'] = Object.fromEntries(entries);
  }
  return copy;
}

function mapValues(map: Json, change: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}

function draftOf(schema: unknown): SchemaDraft {
  const named = isObject(schema) && typeof schema['$schema'] === 'string' ? schema['$schema'] : '';
  if (/draft-0?[67]/u.test(named)) return '7';
  if (/draft-0?4/u.test(named)) return '4';
  return named.includes('2019-09') ? '2019-09' : '2020-12';
}

/**
 * 1 when the answer is JSON that fits the schema, 0 when it is not JSON or does not fit, unknown when the schema cannot
 * be used (it is no schema, refers to one that is not in it, has a pattern RE2 does not know) or the value is too large
 * to check (50,000 parts, 200 levels). `schema` is the schema or its JSON text.
 */
export function gradeJsonSchema(answer: string | null, schema: unknown): OpenGrade {
  if (answer === null) return noAnswer;
  const read = typeof schema === 'string' ? readJson(schema) : ({ ok: true, value: schema } as const);
  if (!read.ok || (!isObject(read.value) && typeof read.value !== 'boolean'))
    return unknown(`the schema is not a JSON Schema: ${read.ok ? 'it is no object' : read.reason}`);
  const value = readJson(answer);
  if (!value.ok) return wrong(`not JSON: ${value.reason}`);
  const found = inventory(value.value);
  if (found === null) return unknown('the value is too large or too deep to check');
  try {
    const safe = withoutPatterns(read.value, found) as Schema;
    const { valid, errors } = new Validator(safe, draftOf(read.value)).validate(value.value);
    const error = errors.at(-1);
    return valid
      ? right('fits the schema')
      : wrong(`does not fit the schema at ${error?.instanceLocation ?? '#'}: ${error?.error ?? 'refused'}`);
  } catch (error) {
    const reason = error instanceof UnusableSchema || error instanceof Error ? error.message : String(error);
    return unknown(`the schema cannot be used: ${reason.split('\n', 1)[0] ?? ''}`);
  }
}
