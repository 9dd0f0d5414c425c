/**
 * Owns which import of sql.js's wasm is which system call. Written by scripts/derive-sqljs-imports.mjs from the
 * installed package; a unit test derives it again. Deliberately never edited by hand.
 */

export const SQLJS_VERSION = '1.16.0';

/** sha256 of dist/sql-wasm.wasm of that version: the names below mean nothing in any other. */
export const WASM_SHA256 = '43bbcdd44287e5a2db3b6b5af34b1a3485a7a441285d247976c1ebe3c61f8dbf';

export const IMPORT_MODULE = 'a';

export const IMPORTS = {
  openat: 'x',
  close: 'e',
  seek: 'E',
  read: 't',
  write: 'q',
  sync: 'K',
  fstat: 'g',
  stat: 'N',
  lstat: 'M',
  access: 'D',
  unlinkat: 'o',
  truncate: 'J',
  fcntl: 'b',
  fchown: 'h',
  fchmod: 'j',
} as const;
