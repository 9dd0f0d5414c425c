/**
 * Owns rows of a YAML file: the items of its list, or its documents, or the lists of its object (YAML 1.2, core schema, so
 * `no` is text). For sets written by hand: the whole text is held, so it has a small cap. Aliases are expanded up to a
 * bound, tags of programs and keys that stand twice are refused.
 */
import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document,
  type Node,
} from 'yaml';
import { deepest, keepsExactly } from './exactJson.ts';
import { FormatError, type RawRow } from './rawRow.ts';

/** Bytes; a parse blocks for about its time. */
export const largestYaml = 1_000_000;
const mostAliases = 50;

/** Throws FormatError naming the line of what cannot be read. */
export function yamlRows(text: string, listsInside: (value: object) => boolean): readonly RawRow[] {
  refuseDirectives(text);
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    version: '1.2',
    stringKeys: true,
    logLevel: 'silent',
  });
  const documents: readonly Document[] = 'empty' in parsed ? [] : parsed;
  const lineOf = (node: unknown) => {
    const range = (node as Node | null)?.range;
    return range ? Math.max(1, lines.linePos(range[0]).line) : 1;
  };
  return documents.flatMap((document) => {
    const fault = document.errors[0] ?? document.warnings[0];
    if (fault !== undefined)
      throw new FormatError(
        `is not valid YAML at line ${lines.linePos(fault.pos[0]).line}: ${plain(fault.message)}`,
      );
    return rowsOf(document, lineOf, listsInside);
  });
}

/** What the parser lets pass: a version said twice, a version of no document (YAML 1.2, 6.8). */
function refuseDirectives(text: string): void {
  if (/^%YAML[^\n]*\n(?:[#%][^\n]*\n|[ \t]*\n)*%YAML/m.test(text))
    throw new FormatError('says its YAML version twice');
  if (/^%YAML/m.test(text) && !/^---(?:\s|$)/m.test(text))
    throw new FormatError('says its YAML version but holds no document');
}

/** The parser's words, without text of the file in them. */
function plain(message: string): string {
  return (
    message
      .split('\n')[0]
      ?.replace(/\s+at line \d+.*$/, '')
      .slice(0, 200) ?? ''
  );
}

function rowsOf(
  document: Document,
  lineOf: (node: unknown) => number,
  listsInside: (value: object) => boolean,
): readonly RawRow[] {
  keepDigits(document);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    throw new FormatError(
      `is not readable YAML: ${plain(error instanceof Error ? error.message : String(error))}`,
    );
  }
  const { contents } = document;
  // A document of nothing, such as what stands between two marks, is no row.
  if (contents === null || (value === null && isScalar(contents) && contents.source === '')) return [];
  const row = (item: unknown, node: unknown, member?: string): RawRow => ({
    line: lineOf(node),
    ...(member === undefined ? {} : { member }),
    ...(tooDeep(item, 0)
      ? { kind: 'bad', reason: `more than ${deepest} deep, or an alias to itself` }
      : { kind: 'row', value: item }),
  });
  if (Array.isArray(value) && isSeq(contents))
    return value.map((item: unknown, index) => row(item, contents.items[index]));
  if (typeof value === 'object' && value !== null && isMap(contents) && listsInside(value))
    return Object.entries(value).flatMap(([member, list]) => {
      const pair = contents.items.find(({ key }) => isScalar(key) && key.value === member);
      const node = isPair(pair) ? pair.value : null;
      const items: readonly unknown[] = Array.isArray(list) ? list : [];
      return items.map((item, index) => row(item, isSeq(node) ? node.items[index] : node, member));
    });
  return [row(value, contents)];
}

/** Numbers a double would round, and whole numbers with leading zeros, stay the text they are. */
function keepDigits(document: Document): void {
  visit(document, {
    Scalar(_key, node) {
      const { source, value } = node;
      if (typeof value !== 'number' || source === undefined || !/^[-+]?[\d.]/.test(source)) return;
      if (/^[-+]?0\d/.test(source) || (/^[-+]?[\d.eE+-]+$/.test(source) && !keepsExactly(source, value)))
        node.value = source;
    },
  });
}

function tooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth >= deepest || Object.values(value).some((item) => tooDeep(item, depth + 1));
}
