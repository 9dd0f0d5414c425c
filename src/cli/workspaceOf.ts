/** Owns which workspace a recipe belongs to for the command line. */
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';

export interface RecipePlace {
  readonly workspace: string;
  /** Relative to the workspace, with '/'. */
  readonly recipePath: string;
}

/** The nearest folder above the file that holds `.ratchet`, else the file's own folder. The file must exist. */
export function workspaceOf(file: string): RecipePlace {
  const real = realpathSync.native(file);
  const own = path.dirname(real);
  let workspace = own;
  for (let folder = own; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.ratchet'))) {
      workspace = folder;
      break;
    }
    if (path.dirname(folder) === folder) break;
  }
  return { workspace, recipePath: path.relative(workspace, real).split(path.sep).join('/') };
}
