/** Owns file layers that break one promise each, as a wrong store or disk would: a model that does not notice is no proof. */
import type { HostFiles } from '../../src/adapters/store/hostFiles.ts';
import { SEARCH_INDEX } from './workload.ts';

export interface Mutant {
  readonly around: (files: HostFiles) => HostFiles;
  /** A recording (recordings.ts) that meets the broken promise. */
  readonly recording: number;
}

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

const unsynced = (recording: number, skips: (path: string) => boolean): Mutant => ({
  around: (files) => withoutSync(files, skips),
  recording,
});

const ROUNDS = 1;
const UPKEEP = 3;

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'no file is synced': unsynced(ROUNDS, () => true),
  'the log is not synced': unsynced(ROUNDS, (path) => path.endsWith('-log')),
  'the database is not synced before the log is cut': unsynced(ROUNDS, (path) => !path.endsWith('-log')),
  'folders are not synced': {
    around: (files) => ({ ...files, syncDirectory: () => undefined }),
    recording: ROUNDS,
  },
  'a copy is not synced before it gets its name': unsynced(UPKEEP, (path) => path.endsWith('.new')),
  'a compact file is not synced before it takes the place': unsynced(UPKEEP, (path) =>
    path.endsWith('.compact'),
  ),
  'the search index is not synced before its log is cut': unsynced(UPKEEP, (path) => path === SEARCH_INDEX),
};
