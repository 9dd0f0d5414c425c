/** Owns running a built-in recipe, as shipped or changed, over the model of test/fakes/recipeModel.ts and its own data. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { taskFiles } from '../../../src/adapters/datasets/taskFiles.ts';
import { beginRun, RecipeError, resumeRun } from '../../../src/core/loop/execute.ts';
import type { ModelState } from '../../../src/core/model/candidate.ts';
import type { RunEvent } from '../../../src/core/model/event.ts';
import type { ModelRequest } from '../../../src/core/ports.ts';
import { recipeModel } from '../../fakes/recipeModel.ts';
import { testRun } from '../../fakes/runServices.ts';

export const recipeFolder = fileURLToPath(new URL('../../../media/recipes/', import.meta.url));
export const recipeNames = readdirSync(recipeFolder)
  .filter((name) => name.endsWith('.loop.yaml'))
  .map((name) => name.slice(0, -'.loop.yaml'.length));
export const recipeText = (name: string) => readFileSync(`${recipeFolder}${name}.loop.yaml`, 'utf8');
export const pocketRecipes = recipeNames.filter((name) => recipeText(name).includes('\nmodel: pocket\n'));

export interface Outcome {
  readonly end: string;
  readonly message: string;
  readonly events: readonly RunEvent[];
  /** Mean on the sealed test of the start and of the one in use at the end; null where it was never scored. */
  readonly start: number | null;
  readonly final: number | null;
  readonly state: ModelState | null;
  /** Rows of every data set written. */
  readonly rows: readonly string[];
  readonly requests: readonly ModelRequest[];
  /** Times a person was asked. */
  readonly pauses: number;
}

/** Runs to the end; a person asked says yes. Rejects with RecipeError where the check refuses it. */
export async function runRecipe(text: string): Promise<Outcome> {
  const test = testRun();
  const model = recipeModel();
  const services = { ...test.services, model: () => model, files: taskFiles(recipeFolder) };
  const begun = await beginRun({ recipePath: 'r.loop.yaml', recipeText: text }, services, test.control);
  let end = await begun.end;
  let pauses = 0;
  for (; end.kind === 'paused' && pauses < 10; pauses++) {
    const again = { runId: begun.runId, recipeText: text, seed: 1 };
    end = await (await resumeRun(again, services, test.control)).end;
  }
  const events = test.told.map(({ event }) => event);
  const tested = events.findLast((event) => event.kind === 'testScored');
  const accepted = events.findLast((event) => event.kind === 'candidateAccepted');
  return {
    end: end.kind,
    message: end.message,
    events,
    start: tested?.start ?? null,
    final: tested?.final ?? null,
    state: test.store.candidates.get(accepted?.candidateId ?? '')?.state ?? null,
    rows: [...test.exported.values()].flatMap((file) => file.trim().split('\n')),
    requests: model.requests,
    pauses,
  };
}

interface StepLine {
  readonly as?: string;
  readonly loop?: { do: StepLine[] };
}

export interface Mutant {
  /** The step that is missing. */
  readonly without: string;
  readonly text: string;
}

interface RecipeText {
  readonly steps: StepLine[];
  control?: { without: string[] };
}

/** A control cannot leave out what is gone: else every recipe with one were refused for that alone. */
function controlWithout(recipe: RecipeText, gone: string): void {
  const without = recipe.control?.without.filter((name) => name !== gone) ?? [];
  if (without.length > 0) recipe.control = { without };
  else delete recipe.control;
}

/** The recipe without one of its steps: each in turn, those within a loop and the loop itself too. */
export function mutantsOf(text: string): readonly Mutant[] {
  const { steps } = parse(text) as RecipeText;
  const nameOf = (step: StepLine) => step.as ?? Object.keys(step).find((key) => key !== 'as') ?? '';
  const inner = (step: StepLine) => step.loop?.do ?? [];
  const places: (readonly [number, number | null])[] = steps.flatMap((step, index) => [
    [index, null] as const,
    ...(inner(step).length > 1 ? inner(step).map((_, place) => [index, place] as const) : []),
  ]);
  return places.map(([index, place]) => {
    const changed = parse(text) as RecipeText;
    const gone =
      place === null ? changed.steps.splice(index, 1) : inner(changed.steps[index] ?? {}).splice(place, 1);
    const name = nameOf(gone[0] ?? {});
    controlWithout(changed, name);
    return { without: `${index + 1} ${name}`, text: stringify(changed) };
  });
}

export { RecipeError };
