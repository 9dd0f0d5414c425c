/** Owns the words of the command line: which commands there are, their options and the help. Deliberately does nothing. */
import { parseArgs } from 'node:util';
import { dataShapes } from '../core/model/dataset.ts';
import type { DataRequest } from './dataCommand.ts';
import type { StoreAction } from './storeCommand.ts';

export type Command =
  | {
      readonly name: 'run';
      readonly file: string;
      readonly seed: number | undefined;
      readonly json: boolean;
      readonly yes: boolean;
    }
  /** `target` is a provider, or provider and model with a slash between. */
  | { readonly name: 'test-connection'; readonly target: string }
  | { readonly name: 'check'; readonly file: string }
  | { readonly name: 'store'; readonly action: StoreAction; readonly workspace: string | undefined }
  | ({ readonly name: 'data' } & DataRequest)
  | { readonly name: 'help' }
  | { readonly name: 'version' }
  /** What was typed means nothing; `message` says why in one sentence. */
  | { readonly name: 'wrong'; readonly message: string };

export const help = `Usage:
  ratchet run FILE [--seed N] [--json] [--yes]   run the loop of a recipe (*.loop.yaml)
  ratchet check FILE                     check a recipe and its data, spend nothing
  ratchet test-connection PROVIDER[/MODEL]   say what answers there, or exactly what is wrong
  ratchet data inspect FILE [--json]     look a data file through: shape, mapping, first tasks, rejected rows
  ratchet data import FILE RECIPE        make a recipe use it; a recipe that is not there is made
  ratchet store verify                   check every row and byte of the workspace's data
  ratchet store compact                  give unused space back to the disk
  ratchet store export FILE              write a copy that any SQLite reads
  ratchet store import FILE              add the runs of an exported file that are not here yet
  ratchet store archive RUN FILE         move an old run into a file that any SQLite reads and import brings back
  ratchet store restore                  put the newest good backup in the place of a damaged database
  ratchet --help | --version

  --seed N   the run's seed instead of the recipe's, from 0 to 4294967295
  --yes      go on with a paused run that was not begun on this machine, at your cost
  --shape S  how the rows of a data file are read, instead of what they look like
  --json     print one JSON object to standard output at the end
  RUN        its id, or the name of its recipe and its number: hint-free-star:2
  --workspace FOLDER   whose data "store" works on, instead of the folder it is typed in

Ctrl-C pauses the run; the same command goes on with it. A second Ctrl-C ends at once, and nothing saved is lost.

Exit codes: 0 done, 1 below the recipe's threshold or data found damaged, 2 bad recipe or data, 3 budget reached, 4 the model's provider
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
        yes: { type: 'boolean', short: 'y' },
        workspace: { type: 'string' },
        shape: { type: 'string' },
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
  if (name === 'store') return storeCommandOf(positionals.slice(1), values);
  if (name === 'data') return dataCommandOf(positionals.slice(1), values);
  if (values.shape !== undefined) return wrong(`"ratchet ${name}" has no option --shape.`);
  if (values.workspace !== undefined) return wrong(`"ratchet ${name}" has no option --workspace.`);
  if (values.yes === true && name !== 'run') return wrong(`"ratchet ${name}" has no option --yes.`);
  if (name === 'test-connection') return testCommandOf(positionals.slice(1), values);
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
  return { name, file, seed, json: values.json === true, yes: values.yes === true };
}

function testCommandOf(
  [target, ...rest]: readonly string[],
  values: { readonly seed?: string; readonly json?: boolean },
): Command {
  const extra = values.seed !== undefined ? '--seed' : values.json !== undefined ? '--json' : null;
  if (extra !== null) return wrong(`"ratchet test-connection" has no option ${extra}.`);
  if (target === undefined || target === '')
    return wrong('"ratchet test-connection" needs a provider, or provider/model.');
  if (rest.length > 0) return wrong('"ratchet test-connection" tries one provider at a time.');
  return { name: 'test-connection', target };
}

function dataCommandOf(
  [kind, file, ...rest]: readonly string[],
  values: {
    readonly seed?: string;
    readonly json?: boolean;
    readonly workspace?: string;
    readonly shape?: string;
  },
): Command {
  const extra = values.seed !== undefined ? '--seed' : values.workspace !== undefined ? '--workspace' : null;
  if (extra !== null) return wrong(`"ratchet data" has no option ${extra}.`);
  if (kind !== 'inspect' && kind !== 'import') return wrong('"ratchet data" needs inspect or import.');
  if (file === undefined) return wrong(`"ratchet data ${kind}" needs the path of a data file.`);
  const shape = dataShapes.find((known) => known === values.shape);
  if (values.shape !== undefined && shape === undefined)
    return wrong(`There is no shape "${values.shape}"; there are ${dataShapes.join(', ')}.`);
  const [recipe] = rest;
  if (rest.length > (kind === 'import' ? 1 : 0))
    return wrong(`"ratchet data ${kind}" was given too many paths.`);
  if (kind === 'import' && recipe === undefined)
    return wrong('"ratchet data import" needs the path of a recipe, too.');
  return { name: 'data', file, recipe: recipe ?? null, shape, json: values.json === true };
}

function storeCommandOf(
  [kind, file, ...rest]: readonly string[],
  values: { readonly seed?: string; readonly json?: boolean; readonly workspace?: string },
): Command {
  const extra = values.seed !== undefined ? '--seed' : values.json !== undefined ? '--json' : null;
  if (extra !== null) return wrong(`"ratchet store" has no option ${extra}.`);
  const { workspace } = values;
  switch (kind) {
    case 'verify':
    case 'compact':
    case 'restore':
      if (file !== undefined) return wrong(`"ratchet store ${kind}" takes no file.`);
      return { name: 'store', action: { kind }, workspace };
    case 'export':
    case 'import':
      if (file === undefined) return wrong(`"ratchet store ${kind}" needs the path of a file.`);
      if (rest.length > 0) return wrong(`"ratchet store ${kind}" takes one file.`);
      return { name: 'store', action: { kind, file }, workspace };
    case 'archive': {
      const [target, ...more] = rest;
      if (file === undefined || target === undefined)
        return wrong('"ratchet store archive" needs a run and the path of a file.');
      if (more.length > 0) return wrong('"ratchet store archive" takes one run and one file.');
      return { name: 'store', action: { kind, run: file, file: target }, workspace };
    }
    case undefined:
      return wrong('"ratchet store" needs verify, compact, export, import, archive or restore.');
    default:
      return wrong(`There is no command "store ${kind}".`);
  }
}

function wholeNumber(text: string): number | null {
  const value = Number(text);
  return /^\d+$/.test(text) && value <= mostSeed ? value : null;
}

function wrong(message: string): Command {
  return { name: 'wrong', message };
}
