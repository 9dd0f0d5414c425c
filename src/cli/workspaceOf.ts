/** Owns which workspace a recipe belongs to for the command line. */
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { EngineError } from '../client/connection.ts';

export interface RecipePlace {
  readonly workspace: string;
  /** Relative to the workspace, with '/'. */
  readonly recipePath: string;
}

/** The nearest folder above the file that holds `.ratchet`, else the file's own folder. The file must exist. */
export function workspaceOf(file: string): RecipePlace {
  const real = realpathSync.native(file);
  const own = path.dirname(real);
  const workspace = workspaceAbove(own) ?? own;
  return { workspace, recipePath: path.relative(workspace, real).split(path.sep).join('/') };
}

/** The nearest folder from this one upwards that holds `.ratchet`; null where there is none. The folder must exist. */
export function workspaceAbove(start: string): string | null {
  for (let folder = realpathSync.native(start); ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.ratchet'))) return folder;
    if (path.dirname(folder) === folder) return null;
  }
}

/** The workspace that this folder is in. Throws EngineError where there is no such folder, or nothing has run in it. */
export function workspaceWithRuns(folder: string): string {
  if (!existsSync(folder)) throw new EngineError('notFound', `There is no folder ${folder}.`);
  const found = workspaceAbove(folder);
  if (found !== null) return found;
  throw new EngineError(
    'notFound',
    `Nothing has run in ${folder} yet; name the folder of a workspace with --workspace.`,
  );
}
