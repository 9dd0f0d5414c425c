/**
 * Owns reading a recipe for the command line, with its data, before anything is spent: every fault as file:line:column.
 * Deliberately starts no engine.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { taskFiles } from '../adapters/datasets/taskFiles.ts';
import { parseRecipe } from '../core/loop/parseRecipe.ts';
import type { Recipe } from '../core/loop/recipe.ts';
import { loadTaskSets } from '../core/loop/taskSets.ts';
import { DataError } from '../core/ports.ts';
import { count, counted } from '../protocol/wording.ts';
import { workspaceOf } from './workspaceOf.ts';

export type CheckedRecipe =
  | {
      readonly ok: true;
      readonly recipe: Recipe;
      readonly text: string;
      readonly notes: readonly string[];
      readonly tasks: string;
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** `file` is shown as it was typed. Lines of data that were skipped come back as notes, not as problems. */
export async function checkRecipeFile(file: string): Promise<CheckedRecipe> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? String(error)})`;
    return { ok: false, problems: [`${file}: ${why}.`] };
  }
  const { recipe, problems } = parseRecipe(text);
  if (recipe === null) {
    return {
      ok: false,
      problems: problems.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`),
    };
  }
  try {
    const sets = await loadTaskSets(
      recipe,
      recipe.seed,
      taskFiles(path.dirname(path.resolve(file)), { workspace: workspaceOf(file).workspace }),
    );
    const notes = [
      ...sets.skipped.map(({ file: data, line, reason }) => `${data}:${line}: skipped, ${reason}`),
      ...sets.warnings,
    ];
    const tasks = `${counted(sets.train(1).length, 'task')} a round, ${count(sets.dev.length)} dev, ${count(sets.test.length)} test`;
    return { ok: true, recipe, text, notes, tasks };
  } catch (error) {
    if (error instanceof DataError) return { ok: false, problems: [`${file}: ${error.message}`] };
    throw error;
  }
}
