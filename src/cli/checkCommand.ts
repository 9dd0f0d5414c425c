/** Owns `ratchet check`: says what is wrong with a recipe and its data, or that nothing is. Spends nothing. */
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { checkRecipeFile } from './recipeFile.ts';
import type { Terminal } from './terminal.ts';

export async function checkCommand(file: string, terminal: Terminal): Promise<ExitCode> {
  const checked = await checkRecipeFile(file);
  if (!checked.ok) {
    for (const problem of checked.problems) terminal.say(problem);
    return exitCodes.badRecipe;
  }
  for (const note of checked.notes) terminal.say(note);
  const { recipe, tasks } = checked;
  const steps = recipe.steps.map(({ operator }) => operator).join(', ');
  terminal.print(`${file}: "${recipe.name}" is sound: ${recipe.rounds} rounds of ${steps}; ${tasks}.`);
  return exitCodes.done;
}
