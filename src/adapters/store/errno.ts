/** Owns the translation of Node's error codes into the errno numbers sql.js was compiled with. Deliberately decides nothing. */

/**
 * errno numbers of Emscripten's libc, which are WASI's
 * (https://github.com/WebAssembly/WASI, preview1 `errno`): SQLite tells a full disk from a broken one by them.
 */
const ERRNO: Readonly<Record<string, number>> = {
  EACCES: 2,
  EAGAIN: 6,
  EBADF: 8,
  EBUSY: 10,
  EDQUOT: 19,
  EEXIST: 20,
  EFBIG: 22,
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  ENAMETOOLONG: 37,
  ENFILE: 41,
  ENOENT: 44,
  ENOLCK: 46,
  ENOMEM: 48,
  ENOSPC: 51,
  ENOTDIR: 54,
  EPERM: 63,
  EROFS: 69,
  ETIMEDOUT: 73,
  ETXTBSY: 74,
};

/** errno number of a Node error code; a code SQLite has no word for is an input/output error. */
export function errnoOf(code: string): number {
  return ERRNO[code] ?? 29;
}

/** Whether a code is one the operating system gave. */
export function isErrno(code: string): boolean {
  return code in ERRNO;
}

/** The error code of what a file operation threw; EIO when it carries none. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : 'EIO';
}
