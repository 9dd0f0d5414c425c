/** Owns rows of JSON Lines: one value a line, a bad line passed over by number. Deliberately reads no meaning into a row. */
import { parseExact } from './exactJson.ts';
import { readLines } from './lines.ts';
import { megabyte } from './openData.ts';
import type { RawRow, RowLimits } from './rawRow.ts';

export async function* jsonLineRows(
  chunks: AsyncIterable<Uint8Array>,
  { longest }: RowLimits,
): AsyncGenerator<RawRow> {
  for await (const line of readLines(chunks, longest)) {
    const place = { line: line.number };
    if (line.kind === 'tooLong') yield { ...place, kind: 'bad', reason: tooLong(longest) };
    else if (line.kind === 'notUtf8') yield { ...place, kind: 'bad', reason: 'not valid UTF-8' };
    else if (line.text.trim() !== '') {
      const read = parseExact(line.text);
      if (read.ok) yield { ...place, kind: 'row', value: read.value };
      else {
        const cutOff = line.last && read.reason === 'not valid JSON';
        yield {
          ...place,
          kind: 'bad',
          reason: cutOff ? `${read.reason}; the file may be cut off here` : read.reason,
        };
      }
    }
  }
}

export function tooLong(longest: number): string {
  return `longer than ${Number((longest / megabyte).toPrecision(2))} MB`;
}
