/**
 * Owns the framing of a stream of server-sent events (WHATWG HTML, section 9.2): bytes in, the data of each event out.
 * Deliberately knows nothing of what the data means, and drops names, ids and comments, which no endpoint's answer needs.
 */

export interface ServerEvents {
  /** The data of each event these bytes complete, in order. */
  push(bytes: Uint8Array): readonly string[];
}

/** Lines end in CR, LF or CRLF; a byte order mark and characters cut between two pieces are put right. */
export function serverEvents(): ServerEvents {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let data: string[] = [];
  const takeLine = (line: string): string | null => {
    if (line === '') {
      const event = data.length === 0 ? null : data.join('\n');
      data = [];
      return event;
    }
    if (line === 'data') data.push('');
    else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    return null;
  };
  return {
    push(bytes) {
      const text = rest + decoder.decode(bytes, { stream: true });
      const events: string[] = [];
      let start = 0;
      for (const end of text.matchAll(/\r\n|\n|\r/gu)) {
        // A CR at the very end may be half of a CRLF.
        if (end[0] === '\r' && end.index === text.length - 1) break;
        const event = takeLine(text.slice(start, end.index));
        if (event !== null) events.push(event);
        start = end.index + end[0].length;
      }
      rest = text.slice(start);
      return events;
    },
  };
}
