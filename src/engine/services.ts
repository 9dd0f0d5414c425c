/** Owns the record of what an engine is built from. Deliberately a plain record, so that tests pass their own. */
import type { RunServices } from '../core/loop/services.ts';
import type { FileStore } from '../adapters/store/localStore.ts';
import type { Restored } from '../adapters/store/recovery.ts';
import type { Log, Store } from '../core/ports.ts';
import type { WorkspacePaths } from '../client/endpoint.ts';
import type { Clients } from './clients.ts';
import type { Providers } from './providers.ts';

/** What a run is given, but for the two listeners, which are the engine's own. */
export type ServicesOfRun = Omit<RunServices, 'onEvents' | 'onProgress'>;

export interface EngineServices {
  /** Endpoints and editor models by name, for runs and for trying a connection. */
  readonly providers: Pick<Providers, 'test' | 'forgetKeys'>;
  /** Opens the workspace's store; called once, at the first need, and again only after a failure. */
  openStore(): Promise<FileStore>;
  /** Puts the newest good backup in the place of the store, which is not open then. */
  restoreStore(): Promise<Restored>;
  /** `recipeFile` is absolute: data files are named relative to it. Nothing heavy starts before it is used. */
  ofRun(recipeFile: string, store: Store): ServicesOfRun;
  close(): Promise<void>;
}

/** `clients` are the windows an engine may ask for settings, keys and editor models. */
export type MakeServices = (paths: WorkspacePaths, log: Log, clients: Clients) => EngineServices;
