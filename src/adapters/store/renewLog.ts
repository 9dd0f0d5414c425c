/**
 * Owns making sure of a log that an earlier process left: after a sync that failed, the operating system may show content
 * that never reached the medium and that no later sync would write. Written once more, it does. What a crash left of a
 * commit in the making is cut off: behind the next one it would look like a commit that is missing.
 * Deliberately changes no byte of a commit that is whole.
 */
import type { HostFiles } from './hostFiles.ts';
import type { LogContent } from './logFile.ts';

const CHUNK = 1 << 20;

/**
 * Writes the file's own content over itself and syncs it; nothing where it is missing or empty. `found` is what it was found
 * to hold; a log of which a missing commit was told must have been kept before. Throws what a file operation throws.
 */
export function renewLog(path: string, { commitsBehind, wholeBytes }: LogContent, files: HostFiles): void {
  if (!files.exists(path) || files.factsAt(path).size === 0n) return;
  const mode = { write: true, create: false, exclusive: false, truncate: false, permissions: 0 };
  const descriptor = files.open(path, mode);
  try {
    if (commitsBehind > 0 && wholeBytes !== null) files.truncate(descriptor, wholeBytes);
    const bytes = new Uint8Array(CHUNK);
    for (let at = 0; ; ) {
      const read = files.read(descriptor, bytes, 0, CHUNK, at);
      if (read === 0) break;
      for (let written = 0; written < read; ) {
        const moved = files.write(descriptor, bytes, written, read - written, at + written);
        if (moved === 0) throw Object.assign(new Error('Nothing was written.'), { code: 'ENOSPC' });
        written += moved;
      }
      at += read;
    }
    files.sync(descriptor);
  } finally {
    files.close(descriptor);
  }
}
