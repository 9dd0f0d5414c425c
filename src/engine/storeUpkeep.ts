/**
 * Owns what a client may do with the workspace's database as a whole: look at its state, check, compact, export, import and
 * restore it. Deliberately does none of the work: the store does, in its worker.
 */
import path from 'node:path';
import type { ArchiveRequest } from '../adapters/store/archiveRun.ts';
import type { FileStore } from '../adapters/store/localStore.ts';
import { EngineError } from '../client/connection.ts';
import { StoreError } from '../core/ports.ts';
import type {
  StoreArchive,
  StoreCompaction,
  StoreImport,
  StoreRestore,
  StoreState,
  StoreVerification,
} from '../protocol/engine.ts';
import type { Executions } from './executions.ts';
import type { EngineServices } from './services.ts';

export interface StoreUpkeep {
  readonly state: () => Promise<StoreState>;
  readonly verify: () => Promise<StoreVerification>;
  readonly compact: () => Promise<StoreCompaction>;
  /** `file` is absolute and not there yet. */
  readonly exportTo: (file: string) => Promise<void>;
  readonly importFrom: (file: string) => Promise<StoreImport>;
  /** Takes a run that stands still out of the workspace, into `file`. */
  readonly archive: (request: ArchiveRequest) => Promise<StoreArchive>;
  /** Puts the newest good backup in the place of a damaged database, after which the engine ends. */
  readonly restore: () => Promise<StoreRestore>;
}

export interface StoreUpkeepContext {
  readonly opened: () => Promise<FileStore>;
  readonly services: Pick<EngineServices, 'restoreStore'>;
  readonly executions: Pick<Executions, 'count' | 'isExecuting' | 'pauseAll'>;
  readonly listeners: { readonly onRunsChanged: () => void };
  /** Ends the engine once the answer has left: every client then reads everything anew. */
  readonly onRestored: () => void;
}

function absolute(file: string): string {
  if (path.isAbsolute(file)) return file;
  throw new EngineError('invalid', `The engine needs the whole path of ${file}.`);
}

/** Damage of a file that was to be imported says nothing of the workspace's own. */
function aboutFile(error: unknown): unknown {
  if (!(error instanceof StoreError) || (error.code !== 'DAMAGED' && error.code !== 'FOREIGN')) return error;
  return new EngineError('invalid', error.message, { cause: error });
}

/** `folder` is the database's own. */
export function createStoreUpkeep(folder: string, context: StoreUpkeepContext): StoreUpkeep {
  const { opened, services, executions, listeners } = context;
  /** What is written among the database's own files could be taken for one of them, or removed as one. */
  const outside = (file: string): string => {
    const way = path.relative(folder, absolute(file));
    if (way.startsWith('..') || path.isAbsolute(way)) return file;
    throw new EngineError('invalid', `${folder} is Ratchet's own. Name a file in another folder.`);
  };
  const whileNothingRuns = (what: string): void => {
    if (executions.count() > 0)
      throw new EngineError('busy', `A run is going on; pause it, then ${what} the workspace data.`);
  };
  return {
    state: async () => {
      const { readOnly, warnings, contents, backups, backupTrouble } = await (await opened()).status();
      return {
        readOnly,
        warnings,
        backups,
        backupTrouble,
        runs: contents.runs,
        experiences: contents.experiences,
      };
    },
    verify: async () => (await opened()).verify(),
    compact: async () => {
      whileNothingRuns('compact');
      return (await opened()).compact();
    },
    exportTo: async (file) => (await opened()).exportTo(outside(file)),
    importFrom: async (file) => {
      whileNothingRuns('import');
      const store = await opened();
      try {
        return await store.importFrom(absolute(file));
      } catch (error) {
        throw aboutFile(error);
      } finally {
        listeners.onRunsChanged();
      }
    },
    archive: async (request) => {
      const store = await opened();
      const detail = await store.run(request.runId);
      if (detail === null) throw new EngineError('notFound', 'This run is not in the workspace any more.');
      if (executions.isExecuting(detail.run))
        throw new EngineError('busy', 'The run is going on; pause or stop it, then archive it.');
      const archived = await store.archiveRun({ ...request, file: outside(request.file) });
      listeners.onRunsChanged();
      return archived;
    },
    restore: async () => {
      whileNothingRuns('restore');
      const store = await opened().catch(() => null);
      if (store !== null) {
        const { ok } = await store.verify();
        if (ok)
          throw new EngineError(
            'invalid',
            'The workspace database is whole, so no backup was put in its place.',
          );
        whileNothingRuns('restore');
      }
      // From here on no run may begin: the engine ends, whatever comes of it.
      await executions.pauseAll();
      try {
        await store?.close();
        const { backup, keptAs, missing } = await services.restoreStore();
        return { madeAt: backup.madeAt, ...backup.contents, keptAs, missing };
      } finally {
        context.onRestored();
      }
    },
  };
}
