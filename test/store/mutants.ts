/**
 * Owns recordings that break one promise each, as a wrong store or disk would: a model that does not notice is no proof.
 * A store does not know whether a sync did anything, so what it does without one is what it does with it.
 */
import type { DiskOperation } from './memoryFiles.ts';
import { type Recording, SEARCH_INDEX } from './workload.ts';

type Sync = Extract<DiskOperation['kind'], 'sync' | 'syncDirectory'>;

export interface Mutant {
  /** Whether a sync of the file or folder does nothing. */
  readonly skips: (kind: Sync, path: string) => boolean;
  /** A recording (recordings.ts) that meets the broken promise. */
  readonly recording: number;
}

const file =
  (skips: (path: string) => boolean): Mutant['skips'] =>
  (kind, path) =>
    kind === 'sync' && skips(path);

const ROUNDS = 1;
const UPKEEP = 3;

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'no file is synced': { recording: ROUNDS, skips: file(() => true) },
  'the log is not synced': { recording: ROUNDS, skips: file((path) => path.endsWith('-log')) },
  'the database is not synced before the log is cut': {
    recording: ROUNDS,
    skips: file((path) => !path.endsWith('-log')),
  },
  'folders are not synced': { recording: ROUNDS, skips: (kind) => kind === 'syncDirectory' },
  'a copy is not synced before it gets its name': {
    recording: UPKEEP,
    skips: file((path) => path.endsWith('.new')),
  },
  'a compact file is not synced before it takes the place': {
    recording: UPKEEP,
    skips: file((path) => path.endsWith('.compact')),
  },
  'the search index is not synced before its log is cut': {
    recording: UPKEEP,
    skips: file((path) => path === SEARCH_INDEX),
  },
};

const NOTHING: DiskOperation = { kind: 'syncDirectory', path: '' };

/** The recording with syncs that do nothing, and after how many operations each of them would have done something. */
export function broken(
  recording: Recording,
  { skips }: Mutant,
): { readonly recording: Recording; readonly skipped: readonly number[] } {
  const paths = new Map([...recording.initial.keys()].map((path, index) => [index + 1, path]));
  const skipped: number[] = [];
  const operations = recording.operations.map((operation, index) => {
    const { kind } = operation;
    if (kind === 'create') paths.set(operation.inode, operation.path);
    if (kind === 'rename') paths.set(operation.inode, operation.to);
    if (kind !== 'sync' && kind !== 'syncDirectory') return operation;
    const path = kind === 'sync' ? (paths.get(operation.inode) ?? '') : operation.path;
    if (!skips(kind, path)) return operation;
    skipped.push(index + 1);
    return NOTHING;
  });
  return { recording: { ...recording, operations }, skipped };
}
