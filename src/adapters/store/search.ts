/**
 * Owns searching a store while its index is opened, filled and closed: a batch at a time when nothing was asked of it
 * for a while. Deliberately never fails for want of an index: then every text is compared.
 */
import type { ExperienceFilter, ExperienceSearchPage } from '../../core/model/views.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { openSearchIndex, type SearchIndex } from './searchIndex.ts';
import { searchExperiences } from './searchExperiences.ts';

export interface Search {
  page(
    text: string,
    filter: Partial<ExperienceFilter>,
    after: string | null,
    limit: number,
  ): ExperienceSearchPage;
  /** Must be called when the store was asked for anything: the index waits until it is left alone. */
  afterUse(): void;
  /** Closes the index. Nothing is searched afterwards. */
  stop(): void;
}

/** Compares every text; for a store that is open for a moment, or only to be read. */
export function searchWithoutIndex(database: Database): Search {
  return {
    page: (text, filter, after, limit) =>
      database.read((connection) => searchExperiences(connection, null, { text, filter, after, limit })),
    afterUse: () => undefined,
    stop: () => undefined,
  };
}

/** Milliseconds without a request before the index goes on, and between two of its batches. */
const QUIET_MS = 300;
const PAUSE_MS = 15;

/** Searches with the index in `options.file`, which is made when it is missing. */
export function indexedSearch(
  database: Database,
  options: DatabaseOptions,
  quietMs: number = QUIET_MS,
): Search {
  let index: SearchIndex | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let busy = false;
  /** Its file cannot be used: until the next start, searches do without. */
  let failed = false;
  const fail = (): void => {
    failed = true;
    index?.close();
    index = null;
  };
  const wait = (ms: number): void => {
    if (timer !== null) clearTimeout(timer);
    if (!stopped && !failed) timer = setTimeout(() => void step(), ms).unref();
  };
  const step = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      if (index === null) {
        const opened = await openSearchIndex(database, options);
        if (stopped) opened.close();
        else index = opened;
      }
      if (index?.enterBatch() === true) wait(PAUSE_MS);
    } catch {
      fail();
    } finally {
      busy = false;
    }
  };
  const guarded =
    <Parameters extends readonly unknown[], Result>(work: (...parameters: Parameters) => Result) =>
    (...parameters: Parameters): Result => {
      try {
        return work(...parameters);
      } catch (error) {
        fail();
        throw error;
      }
    };
  wait(quietMs);
  return {
    page: (text, filter, after, limit) => {
      const request = { text, filter, after, limit };
      const page = (used: SearchIndex | null) =>
        database.read((connection) => searchExperiences(connection, used, request));
      if (index === null) return page(null);
      try {
        const used = index;
        return page({
          ...used,
          reached: guarded(() => used.reached()),
          find: guarded((...asked: Parameters<SearchIndex['find']>) => used.find(...asked)),
        });
      } catch (error) {
        if (!failed) throw error;
        return page(null);
      }
    },
    afterUse: () => wait(quietMs),
    stop: () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      index?.close();
      index = null;
    },
  };
}
