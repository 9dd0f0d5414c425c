/**
 * Owns cutting a JSON file into the elements of its list without holding the file: a list of rows, or an object whose
 * members are lists. Element text is found by brackets and quotes, then read strictly, so a bad element is one bad row.
 * Libraries for streamed JSON give neither an element's line nor a bound on its bytes, and round long numbers.
 */
import { parseExact } from './exactJson.ts';
import { tooLong } from './jsonLines.ts';
import { FormatError, SeveralValues, type RawRow, type RowLimits } from './rawRow.ts';

const code = {
  quote: 0x22,
  backslash: 0x5c,
  comma: 0x2c,
  colon: 0x3a,
  openList: 0x5b,
  closeList: 0x5d,
  open: 0x7b,
  close: 0x7d,
};
const newline = 0x0a;

const isSpace = (byte: number) => byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;
const opens = (byte: number) => byte === code.open || byte === code.openList;
const closes = (byte: number) => byte === code.close || byte === code.closeList;

/** A value whose end has not come yet. */
interface OpenValue {
  readonly line: number;
  readonly member: string | null;
  /** Null once over the cap. */
  parts: Uint8Array[] | null;
  length: number;
  depth: number;
  inText: boolean;
  escaped: boolean;
  /** Text and brackets end themselves; numbers and words end where something else begins. */
  readonly bare: boolean;
}

export interface CutValue {
  readonly line: number;
  readonly member: string | null;
  /** Null when it was over the cap. */
  readonly bytes: Uint8Array | null;
}

/** What may come next, from the outside in. `key` and `colon` are inside the outer object. */
type Expect =
  | 'top'
  | 'first'
  | 'next'
  | 'value'
  | 'key'
  | 'firstKey'
  | 'colon'
  | 'memberValue'
  | 'afterMember'
  | 'end';

type Purpose = 'element' | 'key' | 'member';

interface Cutter {
  readonly mode: 'list' | 'members';
  readonly longest: number;
  expect: Expect;
  line: number;
  member: string | null;
  value: (OpenValue & { readonly purpose: Purpose }) | null;
}

const wrong = ({ line }: Cutter, what: string) =>
  new FormatError(`is not valid JSON at line ${line}: ${what}`);

function begin(cutter: Cutter, byte: number, purpose: Purpose): true {
  if (closes(byte) || byte === code.comma || byte === code.colon) throw wrong(cutter, 'a value is missing');
  const { line, member } = cutter;
  const bare = byte !== code.quote && !opens(byte);
  cutter.value = {
    line,
    member,
    parts: [],
    length: 0,
    depth: 0,
    inText: false,
    escaped: false,
    purpose,
    bare,
  };
  return true;
}

/** Takes one byte outside of any value. Returns true when a value begins at it. */
function structure(cutter: Cutter, byte: number): boolean {
  const { mode } = cutter;
  switch (cutter.expect) {
    case 'top':
      if (byte !== (mode === 'list' ? code.openList : code.open))
        throw wrong(cutter, `${mode === 'list' ? 'a list' : 'an object'} was expected`);
      cutter.expect = mode === 'list' ? 'first' : 'firstKey';
      return false;
    case 'first':
      if (byte !== code.closeList) return begin(cutter, byte, 'element');
      cutter.expect = mode === 'list' ? 'end' : 'afterMember';
      return false;
    case 'next':
      if (byte === code.comma) cutter.expect = 'value';
      else if (byte === code.closeList) cutter.expect = mode === 'list' ? 'end' : 'afterMember';
      else throw wrong(cutter, 'a comma or the end of the list was expected');
      return false;
    case 'value':
      return begin(cutter, byte, 'element');
    default:
      return structureOfObject(cutter, byte);
  }
}

function structureOfObject(cutter: Cutter, byte: number): boolean {
  switch (cutter.expect) {
    case 'firstKey':
      if (byte !== code.close) break;
      cutter.expect = 'end';
      return false;
    case 'colon':
      if (byte !== code.colon) throw wrong(cutter, 'a colon was expected');
      cutter.expect = 'memberValue';
      return false;
    case 'memberValue':
      if (byte !== code.openList) return begin(cutter, byte, 'member');
      cutter.expect = 'first';
      return false;
    case 'afterMember':
      if (byte === code.comma) cutter.expect = 'key';
      else if (byte === code.close) cutter.expect = 'end';
      else throw wrong(cutter, 'a comma or the end of the object was expected');
      return false;
    case 'end':
      if (opens(byte) && cutter.mode === 'members') throw new SeveralValues();
      throw wrong(cutter, 'there is something after its end');
    default:
      break;
  }
  if (byte !== code.quote) throw wrong(cutter, "a field's name in quotes was expected");
  return begin(cutter, byte, 'key');
}

function finish(cutter: Cutter, found: CutValue[]): void {
  const { value } = cutter;
  if (value === null) return;
  const { purpose, parts, length, line, member } = value;
  const bytes =
    parts === null ? null : parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, length);
  cutter.value = null;
  switch (purpose) {
    case 'key':
      cutter.member = keyOf(bytes, cutter);
      cutter.expect = 'colon';
      return;
    case 'member':
      if (bytes !== null && !readText(bytes).ok) throw wrong(cutter, 'a value is not valid');
      cutter.expect = 'afterMember';
      return;
    case 'element':
      found.push({ line, member, bytes });
      cutter.expect = 'next';
  }
}

/** Whether the open value goes on after this byte, 'before' when it ended before it. */
function passes(cutter: Cutter, open: OpenValue, byte: number): 'on' | 'ends' | 'before' {
  if (open.bare) return isSpace(byte) || byte === code.comma || closes(byte) ? 'before' : 'on';
  if (byte === newline) cutter.line += 1;
  if (open.escaped) open.escaped = false;
  else if (open.inText && byte === code.backslash) open.escaped = true;
  else if (byte === code.quote) open.inText = !open.inText;
  else if (!open.inText && opens(byte)) open.depth += 1;
  else if (!open.inText && closes(byte)) open.depth -= 1;
  return open.inText || open.depth > 0 ? 'on' : 'ends';
}

function keep(cutter: Cutter, bytes: Uint8Array): void {
  const { value, longest } = cutter;
  if (value === null) return;
  value.length += bytes.length;
  if (value.length > longest) value.parts = null;
  // A copy, because the reader fills the same chunk again.
  else value.parts?.push(new Uint8Array(bytes));
}

/**
 * Cuts chunks of one JSON value. In `list` mode the outer value is a list and its elements are found; in `members` mode it
 * is an object, and the elements of its lists are found. `feed` gives the elements that end in a chunk, `end` is called
 * after the last one. Both throw FormatError with the line of the first thing out of place, SeveralValues when another
 * object or list follows.
 */
export function createCutter(
  mode: 'list' | 'members',
  longest: number,
): { feed(chunk: Uint8Array): readonly CutValue[]; end(): void } {
  const cutter: Cutter = { mode, longest, expect: 'top', line: 1, member: null, value: null };
  return {
    feed(chunk) {
      const found: CutValue[] = [];
      let from = 0;
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at] as number;
        if (cutter.value === null) {
          if (byte === newline) cutter.line += 1;
          if (isSpace(byte) || !structure(cutter, byte)) continue;
          from = at;
        }
        const step = passes(cutter, cutter.value as unknown as OpenValue, byte);
        if (step === 'on') continue;
        keep(cutter, chunk.subarray(from, step === 'ends' ? at + 1 : at));
        finish(cutter, found);
        // What ended a bare value belongs to what is around it.
        if (step === 'before') at -= 1;
      }
      keep(cutter, chunk.subarray(from));
      return found;
    },
    end() {
      if (cutter.expect !== 'end' || cutter.value !== null)
        throw new FormatError(`is not valid JSON: it ends in the middle, at line ${cutter.line}`);
    },
  };
}

function keyOf(bytes: Uint8Array | null, cutter: Cutter): string {
  const read = bytes === null ? null : readText(bytes);
  if (read === null || !read.ok || typeof read.value !== 'string')
    throw wrong(cutter, "a field's name is not valid");
  return read.value;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The JSON value in these bytes, strictly. */
export function readText(bytes: Uint8Array): ReturnType<typeof parseExact> {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { ok: false, reason: 'not valid UTF-8' };
  }
  return parseExact(text);
}

/** Rows of a JSON file from its chunks; the first byte that is no space says what the file is. */
export async function* elementRows(
  chunks: AsyncIterable<Uint8Array>,
  mode: 'list' | 'members',
  { longest }: RowLimits,
): AsyncGenerator<RawRow> {
  const cutter = createCutter(mode, longest);
  for await (const chunk of withoutMark(chunks)) {
    for (const { line, member, bytes } of cutter.feed(chunk)) {
      const place = member === null ? { line } : { line, member };
      if (bytes === null) yield { ...place, kind: 'bad', reason: tooLong(longest) };
      else {
        const read = readText(bytes);
        yield read.ok
          ? { ...place, kind: 'row', value: read.value }
          : { ...place, kind: 'bad', reason: read.reason };
      }
    }
  }
  cutter.end();
}

/** The same bytes without a byte order mark. */
export async function* withoutMark(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const chunk of chunks) {
    yield first && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? chunk.subarray(3) : chunk;
    first = false;
  }
}
