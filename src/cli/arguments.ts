/** Owns the words of the command line: which commands there are, their options and the help. Deliberately does nothing. */
import { parseArgs } from 'node:util';

export type Command =
  | { readonly name: 'run'; readonly file: string; readonly seed: number | undefined; readonly json: boolean }
  | { readonly name: 'check'; readonly file: string }
  | { readonly name: 'help' }
  | { readonly name: 'version' }
  /** What was typed means nothing; `message` says why in one sentence. */
  | { readonly name: 'wrong'; readonly message: string };

export const help = `Usage:
  ratchet run FILE [--seed N] [--json]   run the loop of a recipe (*.loop.yaml)
  ratchet check FILE                     check a recipe and its data, spend nothing
  ratchet --help | --version

  --seed N   the run's seed instead of the recipe's, from 0 to 4294967295
  --json     print one JSON object to standard output at the end

Ctrl-C pauses the run; the same command goes on with it. A second Ctrl-C ends at once, and nothing saved is lost.

Exit codes: 0 done, 1 below the recipe's threshold, 2 bad recipe or data, 3 budget reached, 4 the model's provider
failed, 5 the engine or its store failed, 130 paused or stopped.
`;

const mostSeed = 0xffff_ffff;

export function parseCommand(args: readonly string[]): Command {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seed: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { name: 'help' };
  if (values.version === true) return { name: 'version' };
  const [name, file, ...rest] = positionals;
  if (name === undefined) return wrong('A command is missing.');
  if (name !== 'run' && name !== 'check') return wrong(`There is no command "${name}".`);
  if (file === undefined) return wrong(`"ratchet ${name}" needs the path of a recipe.`);
  if (rest.length > 0) return wrong(`"ratchet ${name}" takes one recipe; "${rest.join(' ')}" is too many.`);
  if (name === 'check') {
    const extra = values.seed !== undefined ? '--seed' : values.json !== undefined ? '--json' : null;
    return extra === null ? { name, file } : wrong(`"ratchet check" has no option ${extra}.`);
  }
  const seed = values.seed === undefined ? undefined : wholeNumber(values.seed);
  if (seed === null)
    return wrong(`--seed takes a whole number from 0 to ${mostSeed}, not "${values.seed ?? ''}".`);
  return { name, file, seed, json: values.json === true };
}

function wholeNumber(text: string): number | null {
  const value = Number(text);
  return /^\d+$/.test(text) && value <= mostSeed ? value : null;
}

function wrong(message: string): Command {
  return { name: 'wrong', message };
}
