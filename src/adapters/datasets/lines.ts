/**
 * Owns cutting a byte stream into lines of text, with a cap on a line's length, so that a file of any size or a line
 * without end costs a bounded amount of memory. Deliberately knows no format.
 */

export type Line = { readonly number: number; readonly last: boolean } & (
  | { readonly kind: 'text'; readonly text: string }
  /** Over the cap; its bytes were passed over. */
  | { readonly kind: 'tooLong' }
  | { readonly kind: 'notUtf8' }
);

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Lines of a stream of chunks, numbered from 1, ended by LF or CRLF or the end of the stream; `last` marks a line that
 * the end of the stream ended rather than a line end. A byte order mark is dropped. `longest` is in bytes.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let parts: Uint8Array[] = [];
  let length = 0;
  let number = 1;

  const take = (last: boolean): Line => {
    const place = { number: number++, last };
    const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, length);
    const tooLong = length > longest;
    parts = [];
    length = 0;
    if (tooLong) return { ...place, kind: 'tooLong' };
    const end = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length;
    try {
      return { ...place, kind: 'text', text: decoder.decode(bytes.subarray(0, end)) };
    } catch {
      return { ...place, kind: 'notUtf8' };
    }
  };
  const keep = (bytes: Uint8Array): void => {
    length += bytes.length;
    if (length <= longest) parts.push(bytes);
    else parts = [];
  };

  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      keep(chunk.subarray(start, end));
      yield take(false);
      start = end + 1;
    }
    // A copy, because the reader may fill the same chunk again.
    if (start < chunk.length) keep(new Uint8Array(chunk.subarray(start)));
  }
  if (length > 0) yield take(true);
}
