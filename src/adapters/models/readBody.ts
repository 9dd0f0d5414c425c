/**
 * Owns turning the bytes of an answer into a text or into events, decoded, and never more of either than allowed.
 * Deliberately keeps no time: it says when something came, and whoever asked holds the clock.
 */
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { EndpointFault } from './endpointFault.ts';
import type { StreamReader } from './protocol.ts';
import { serverEvents } from './serverEvents.ts';

/** An answer streamed in small pieces is mostly wrapping; this many times the cap of one event. */
const wrapping = 8;

const tooLarge = (limit: number): EndpointFault =>
  new EndpointFault({ kind: 'tooLarge', megabytes: Math.floor(limit / 1_000_000) });

/** Nothing compressed is asked for, but a gateway may compress all the same. */
function decoded(body: Readable, encoding: string): Readable {
  const decoders = {
    gzip: createGunzip,
    'x-gzip': createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
    zstd: createZstdDecompress,
  };
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  if (!Object.hasOwn(decoders, name)) {
    body.destroy();
    throw new EndpointFault({ kind: 'malformed' });
  }
  const decoder = decoders[name as keyof typeof decoders]();
  body.on('error', (error) => decoder.destroy(error));
  decoder.on('close', () => body.destroy());
  return body.pipe(decoder);
}

/**
 * Hands every piece to `take` until it says that this is enough (true), throws, or the body ends. Reads no further while a
 * promise it gave is open.
 */
function eachPiece(body: Readable, take: (piece: Uint8Array) => boolean | Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    body.on('data', (piece: Uint8Array) => {
      try {
        const enough = take(piece);
        if (enough instanceof Promise) {
          body.pause();
          enough.then(() => body.resume(), reject);
          return;
        }
        if (!enough) return;
        resolve();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
      body.destroy();
    });
    body.on('end', resolve);
    body.on('error', reject);
    // A connection that was closed early gives no end.
    body.on('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  });
}

/** The whole text, or EndpointFault `tooLarge` once the decoded body passes `limit` bytes; the rest is not read. */
export async function readText(
  body: Readable,
  encoding: string,
  limit: number,
  onPiece: () => void,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  await eachPiece(decoded(body, encoding), (piece) => {
    onPiece();
    length += piece.length;
    if (length > limit) throw tooLarge(limit);
    pieces.push(piece);
    return false;
  });
  const [only, second] = pieces;
  const bytes = only !== undefined && second === undefined ? only : Buffer.concat(pieces, length);
  return new TextDecoder().decode(bytes);
}

/**
 * JSON Lines, each given to `onLine` as it comes, null for one that is not JSON; gives how many there were. Throws
 * EndpointFault `tooLarge` for a line of more than `limit` characters.
 */
export async function readLines(
  body: Readable,
  encoding: string,
  limit: number,
  onLine: (line: unknown) => Promise<void> | null,
  onPiece: () => void,
): Promise<number> {
  const decoder = new TextDecoder();
  let rest = '';
  let count = 0;
  const take = (line: string): Promise<void> | null => {
    if (line.trim() === '') return null;
    let read: unknown = null;
    try {
      read = JSON.parse(line);
    } catch {
      // Said with null.
    }
    count += 1;
    return onLine(read);
  };
  await eachPiece(decoded(body, encoding), (piece) => {
    onPiece();
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > limit) throw tooLarge(limit);
    let full: Promise<void> | null = null;
    for (const line of lines) full = take(line) ?? full;
    return full === null ? false : full.then(onPiece);
  });
  await take(rest + decoder.decode());
  return count;
}

/**
 * The events of a stream, each given to `reader`; `onEvent` is called for events that carry data, and not for comments,
 * which only keep a connection open. An end, a silence or a cut after the answer was complete loses nothing.
 */
export async function readStream(
  body: Readable,
  encoding: string,
  limit: number,
  reader: StreamReader,
  onEvent: () => void,
): Promise<unknown> {
  const events = serverEvents();
  let length = 0;
  let sinceEvent = 0;
  const take = (piece: Uint8Array): boolean => {
    length += piece.length;
    sinceEvent += piece.length;
    for (const data of events.push(piece)) {
      sinceEvent = 0;
      onEvent();
      if (reader.take(data)) return true;
    }
    if (sinceEvent > limit || length > limit * wrapping) throw tooLarge(limit);
    return false;
  };
  let cut: unknown = null;
  try {
    await eachPiece(decoded(body, encoding), take);
  } catch (error) {
    if (error instanceof SyntaxError) throw new EndpointFault({ kind: 'malformed' });
    if (error instanceof EndpointFault && error.fault.kind !== 'slow') throw error;
    cut = error;
  }
  const whole = reader.whole();
  if (whole !== null) return whole;
  throw cut instanceof Error ? cut : new EndpointFault({ kind: 'incomplete' });
}
