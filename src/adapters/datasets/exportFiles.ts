/**
 * Owns writing data sets beside a recipe: whole or not at all, never outside of the workspace, links resolved.
 * Deliberately replaces an earlier export of the same name and nothing else: what is no regular file stays.
 */
import { lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ExportFiles } from '../../core/loop/services.ts';
import { DataError } from '../../core/ports.ts';

/** `folder` is the recipe's. */
export function exportFiles(folder: string, { workspace }: { readonly workspace: string }): ExportFiles {
  return {
    write: async (file, text) => {
      const target = await locate(file, folder, workspace);
      const temporary = `${target}.${process.pid}.part`;
      try {
        const handle = await open(temporary, 'w');
        try {
          await handle.writeFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw unwritable(file, error);
      }
    },
  };
}

async function locate(file: string, folder: string, workspace: string): Promise<string> {
  const target = path.resolve(folder, file);
  try {
    const root = await realpath(workspace);
    inside(file, await realpath(folder), path.dirname(target), root);
    await mkdir(path.dirname(target), { recursive: true });
    const real = path.join(await realpath(path.dirname(target)), path.basename(target));
    inside(file, real, real, root);
    const there = await lstat(real).catch(() => null);
    if (there !== null && !there.isFile())
      throw new DataError(
        `${file} is no regular file, so no data set is written there; choose another name.`,
      );
    return real;
  } catch (error) {
    throw error instanceof DataError ? error : unwritable(file, error);
  }
}

/** Both as they are on disk and as they are named: a link out of the workspace is no way out. */
function inside(file: string, real: string, named: string, root: string): void {
  for (const place of [real, named]) {
    const relative = path.relative(root, place);
    if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative))
      throw new DataError(`The data set ${file} would lie outside of the workspace; give it a path within.`);
  }
}

function unwritable(file: string, error: unknown): DataError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return new DataError(`The data set ${file} could not be written (${code}).`, { cause: error });
}
