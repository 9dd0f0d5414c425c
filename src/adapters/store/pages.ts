/**
 * Owns the seal on every page of the database file: SQLite checks none, so a flipped bit would change what was stored
 * without a word. Eight bytes that SQLite leaves alone at the end of each page hold a CRC-32 and the page's number; in
 * those of the first page the number of the database itself (logTie.ts) takes the place of the page's.
 * Deliberately not for the log: its frames carry checksums of their own.
 */
import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { APPLICATION_ID } from './schema.ts';

/** Of every database made here. */
export const PAGE_BYTES = 4096;

/** SQLite's "reserved space" at the end of each page (https://www.sqlite.org/fileformat2.html#resbyte). */
export const SEAL_BYTES = 8;
const CONTENT_BYTES = PAGE_BYTES - SEAL_BYTES;

function sealOf(page: Uint8Array): DataView {
  return new DataView(page.buffer, page.byteOffset + CONTENT_BYTES, SEAL_BYTES);
}

/** What a first page says that was sealed without a number of its database. */
const NO_TIE = 1;

/** A number for a database: one of 2^32 - 2. */
export function newTie(): number {
  return randomInt(NO_TIE + 1, 2 ** 32);
}

/** Over a page's content, and over its database's number where it names one. */
function crcOf(page: Uint8Array, isTied: boolean): number {
  const crc = crc32(page.subarray(0, CONTENT_BYTES));
  return isTied ? crc32(page.subarray(PAGE_BYTES - 4, PAGE_BYTES), crc) : crc;
}

/**
 * Writes the seal of the page with this number (the first is 1) into its last bytes; `tie` is the number of the database,
 * which only the first page names.
 */
export function sealPage(page: Uint8Array, number: number, tie: number | null = null): void {
  const seal = sealOf(page);
  const isTied = number === 1 && tie !== null;
  seal.setUint32(4, isTied ? tie : number);
  seal.setUint32(0, crcOf(page, isTied));
}

/** The number of the database that this first page names; null where it names none or is not as it was sealed. */
export function tieOf(firstPage: Uint8Array): number | null {
  const tie = sealOf(firstPage).getUint32(4);
  return tie > NO_TIE && isSealed(firstPage, 1) ? tie : null;
}

/** Whether a page is as it was sealed. One that was never written, all zeros, has nothing to be wrong. */
export function isSealed(page: Uint8Array, number: number): boolean {
  const seal = sealOf(page);
  const said = seal.getUint32(4);
  const isTied = number === 1 && said > NO_TIE;
  if (seal.getUint32(0) === crcOf(page, isTied) && (isTied || said === number)) return true;
  return page.every((byte) => byte === 0);
}

/** Whether a write or read of the database file is of one whole page. */
export function isPage(length: number, position: number): boolean {
  return length === PAGE_BYTES && position % PAGE_BYTES === 0;
}

/**
 * The first page of a database without tables that leaves room for seals: the one way to ask SQLite for that room
 * (https://www.sqlite.org/fileformat2.html#the_database_header).
 */
export function emptyDatabase(): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const view = new DataView(page.buffer);
  page.set(Buffer.from('SQLite format 3\0', 'latin1'));
  view.setUint16(16, PAGE_BYTES);
  // File format versions (1: rollback journal, until the first connection asks for a log), and the reserved space.
  page.set([1, 1, SEAL_BYTES, 64, 32, 32], 18);
  const changeCounter = 1;
  view.setUint32(24, changeCounter);
  view.setUint32(28, 1);
  const schemaFormat = 4;
  view.setUint32(44, schemaFormat);
  const utf8 = 1;
  view.setUint32(56, utf8);
  view.setUint32(68, APPLICATION_ID);
  view.setUint32(92, changeCounter);
  // An empty leaf of the schema table.
  const leaf = 0x0d;
  view.setUint8(100, leaf);
  view.setUint16(105, CONTENT_BYTES);
  sealPage(page, 1);
  return page;
}
