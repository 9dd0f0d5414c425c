/** Owns reading a recipe a client names: only inside the workspace, only a sound one. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { EngineError } from '../client/connection.ts';
import { parseRecipe } from '../core/loop/parseRecipe.ts';

const longestRecipe = 1_000_000;

export interface RecipeText {
  /** Relative to the workspace, with '/', in the one spelling runs are compared by. */
  readonly path: string;
  readonly text: string;
}

/** Throws EngineError for a path outside the workspace, a file that cannot be read and a recipe with problems. */
export function readRecipe(workspace: string, recipePath: string): RecipeText {
  const file = path.resolve(workspace, recipePath);
  const text = readInside(workspace, file, recipePath);
  const { problems } = parseRecipe(text);
  const first = problems[0];
  if (first !== undefined) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    throw new EngineError('invalid', `${recipePath}:${first.line}:${first.column}: ${first.message}${more}`);
  }
  return { path: path.relative(workspace, file).split(path.sep).join('/'), text };
}

function readInside(workspace: string, file: string, shown: string): string {
  if (!isInside(workspace, file)) throw outside();
  try {
    // A link may lead out of the workspace.
    if (!isInside(workspace, realpathSync.native(file))) throw outside();
    if (statSync(file).size > longestRecipe)
      throw new EngineError('invalid', `${shown} is over 1 MB, which no recipe is.`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError('notFound', `${shown} could not be read; save it inside the workspace first.`, {
      cause,
    });
  }
}

function isInside(workspace: string, file: string): boolean {
  const relative = path.relative(workspace, file);
  return relative !== '' && relative.split(path.sep)[0] !== '..' && !path.isAbsolute(relative);
}

function outside(): EngineError {
  return new EngineError('invalid', 'A recipe must lie inside the workspace.');
}
