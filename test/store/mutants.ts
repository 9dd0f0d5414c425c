/** Owns file layers that break one promise each, as a wrong store or disk would: a model that does not notice is no proof. */
import type { HostFiles } from '../../src/adapters/store/hostFiles.ts';

/** Skips the sync of files whose path passes `skips`. */
function withoutSync(files: HostFiles, skips: (path: string) => boolean): HostFiles {
  const paths = new Map<number, string>();
  return {
    ...files,
    open: (path, mode) => {
      const descriptor = files.open(path, mode);
      paths.set(descriptor, path);
      return descriptor;
    },
    sync: (descriptor) => {
      if (!skips(paths.get(descriptor) ?? '')) files.sync(descriptor);
    },
  };
}

export const MUTANTS: Readonly<Record<string, (files: HostFiles) => HostFiles>> = {
  'no file is synced': (files) => withoutSync(files, () => true),
  'the log is not synced': (files) => withoutSync(files, (path) => path.endsWith('-wal')),
  'the database is not synced before the log is cut': (files) =>
    withoutSync(files, (path) => !path.endsWith('-wal')),
  'folders are not synced': (files) => ({ ...files, syncDirectory: () => undefined }),
};
