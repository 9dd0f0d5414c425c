/**
 * Owns rows of CSV and TSV (RFC 4180, with CR, LF and CRLF as line ends, also mixed): the first record names the fields.
 * Every value is text as written, so `007`, `=1+1` and long numbers stay what they are. Deliberately guesses no types.
 */
import { isUtf8 } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';
import { Parser } from 'csv-parse';
import { withoutMark } from './jsonElements.ts';
import { tooLong } from './jsonLines.ts';
import { FormatError, type RawRow, type RowLimits } from './rawRow.ts';

const lost = '\ufffd';
const mostFields = 10_000;

/** What stands between fields: the sign the first line has most of, a comma where it has none. */
export function delimiterOf(head: Uint8Array): string {
  const line = /^[^\r\n]*/.exec(new TextDecoder().decode(head))?.[0] ?? '';
  const bare = line.replace(/"[^"]*"/g, '');
  const counted = [',', ';', '\t', '|'].map((sign) => ({ sign, count: bare.split(sign).length - 1 }));
  return counted.reduce((best, next) => (next.count > best.count ? next : best)).sign;
}

/** Line ends inside a record, beside the one that ends it. */
function breaksIn(record: readonly string[]): number {
  let breaks = 0;
  for (const field of record) if (/[\r\n]/.test(field)) breaks += field.match(/\r\n|\r|\n/g)?.length ?? 0;
  return breaks;
}

/** Names of the fields. Throws FormatError where two are equal: a row could not say which is meant. */
function namesOf(record: readonly string[]): readonly string[] {
  if (record.length > mostFields) throw new FormatError(`has more than ${mostFields} columns`);
  const names = record.map((name, index) => (name.trim() === '' ? `column${index + 1}` : name.trim()));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new FormatError(`has two columns called "${twice.slice(0, 100)}"; rename one`);
  return names;
}

interface Watch {
  /** Some bytes were no UTF-8: from then on a replaced character is not the file's own. */
  broken: boolean;
  written: number;
}

/** UTF-8 is looked at across chunk borders by holding back the bytes of a character that is not whole. */
async function* watched(chunks: AsyncIterable<Uint8Array>, watch: Watch): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const chunk of withoutMark(chunks)) {
    const bytes = Buffer.concat([held, chunk]);
    const whole = wholeCharacters(bytes);
    held = Buffer.from(bytes.subarray(whole));
    const now = bytes.subarray(0, whole);
    watch.broken ||= !isUtf8(now);
    watch.written += now.length;
    yield now;
  }
  watch.broken ||= held.length > 0;
  watch.written += held.length;
  if (held.length > 0) yield held;
}

function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needs > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

/** Throws FormatError when a record does not end within the cap: where a quote is open, no later row can be trusted. */
export async function* csvRows(
  chunks: AsyncIterable<Uint8Array>,
  delimiter: string,
  { longest }: RowLimits,
): AsyncGenerator<RawRow> {
  const watch: Watch = { broken: false, written: 0 };
  const parser = new Parser({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    // A quote inside an unquoted field is an inch, not an error; what it hides shows as a wrong number of fields.
    relax_quotes: true,
  });
  async function* bounded(): AsyncGenerator<Buffer> {
    for await (const chunk of watched(chunks, watch)) {
      yield chunk;
      if (watch.written - parser.info.bytes > longest + chunk.length)
        throw new FormatError(
          `has a row at line ${line} that is ${tooLong(longest)}; is a quote left open there?`,
        );
    }
  }
  let line = 1;
  let names: readonly string[] | null = null;
  pipeline(Readable.from(bounded(), { objectMode: false }), parser, () => undefined);
  try {
    for await (const item of parser) {
      const record = item as readonly string[];
      const place = { line };
      line += 1 + breaksIn(record);
      if (record.length === 1 && (record[0] ?? '').trim() === '') continue;
      if (watch.broken && record.some((field) => field.includes(lost)))
        yield { ...place, kind: 'bad', reason: 'not valid UTF-8' };
      else if (names === null) names = namesOf(record);
      else if (record.length !== names.length)
        yield {
          ...place,
          kind: 'bad',
          reason: `${record.length} ${record.length === 1 ? 'field' : 'fields'} where the first row has ${names.length}`,
        };
      else {
        const own = names;
        // fromEntries makes `__proto__` a field like any other.
        yield {
          ...place,
          kind: 'row',
          value: Object.fromEntries(record.map((field, index) => [own[index], field])),
        };
      }
    }
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'CSV_QUOTE_NOT_CLOSED') throw error;
    yield { line, kind: 'bad', reason: 'a quote is not closed; all that follows it belongs to this row' };
  }
}
