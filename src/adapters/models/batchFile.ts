/**
 * Owns the input file of a batch: its lines (JSON Lines), how many fit, and its upload as multipart form data (RFC 7578),
 * made line by line: a file of 200 MB is never held. Deliberately asks nothing.
 */
import type { BatchCall } from '../../core/ports.ts';
import { askedFor } from './askAnswer.ts';
import type { Upload } from './exchangeContext.ts';
import type { Session } from './session.ts';

function line(session: Session, { id, request }: BatchCall): string {
  const { protocol } = session;
  const body = protocol.bodyOf(askedFor(session, request, false));
  return `${JSON.stringify({ custom_id: id, method: 'POST', url: protocol.path, body })}\n`;
}

/** How many of these, from the first, one batch may hold; 1 where not even that fits, so that the endpoint says so. */
export function fitting(session: Session, calls: readonly BatchCall[]): number {
  const { requests, bytes } = session.limits.batch;
  let count = 0;
  let sum = 0;
  for (const call of calls) {
    sum += Buffer.byteLength(line(session, call));
    if (count === requests || sum > bytes) break;
    count += 1;
  }
  return Math.max(1, count);
}

/** No line of JSON begins with it. */
const boundary = '--ratchet-batch-input';
const head = [
  `--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n`,
  `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="ratchet.jsonl"\r\n`,
  'Content-Type: application/jsonl\r\n\r\n',
].join('');
const tail = `\r\n--${boundary}--\r\n`;
const pieceBytes = 64 * 1024;

function* pieces(session: Session, calls: readonly BatchCall[]): Generator<Uint8Array> {
  let text = head;
  for (const call of calls) {
    text += line(session, call);
    if (text.length < pieceBytes) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text + tail);
}

export function uploadOf(session: Session, calls: readonly BatchCall[]): Upload {
  const length = calls.reduce(
    (sum, call) => sum + Buffer.byteLength(line(session, call)),
    head.length + tail.length,
  );
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length,
    pieces: () => pieces(session, calls),
  };
}
