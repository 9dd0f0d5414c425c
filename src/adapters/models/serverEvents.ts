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
  // Pieces of a line whose end has not come yet.
  let line: string[] = [];
  let data: string[] = [];
  let afterReturn = false;
  const takeLine = (text: string): string | null => {
    if (text === '') {
      const event = data.length === 0 ? null : data.join('\n');
      data = [];
      return event;
    }
    if (text === 'data') data.push('');
    else if (text.startsWith('data:')) data.push(text.slice(text[5] === ' ' ? 6 : 5));
    return null;
  };
  return {
    push(bytes) {
      let text = decoder.decode(bytes, { stream: true });
      if (text === '') return [];
      if (afterReturn && text.startsWith('\n')) text = text.slice(1);
      afterReturn = text.endsWith('\r');
      const lines = text.split(/\r\n|\n|\r/u);
      const events: string[] = [];
      for (const [index, piece] of lines.entries()) {
        line.push(piece);
        if (index === lines.length - 1) break;
        const event = takeLine(line.join(''));
        line = [];
        if (event !== null) events.push(event);
      }
      return events;
    },
  };
}
