/** Owns the words of the command line: which commands there are, their options and the help. Deliberately does nothing. */
import { parseArgs } from 'node:util';
import { dataShapes } from '../core/model/dataset.ts';
import type { DataRequest } from './dataCommand.ts';
import type { RunCaps } from '../core/model/cost.ts';
import type { RunRequest } from './runCommand.ts';
import type { RunsAction } from './runsCommands.ts';
import type { StoreAction } from './storeCommand.ts';

export type Command =
  /** `target` is a provider, or provider and model with a slash between. */
  | { readonly name: 'test-connection'; readonly target: string }
  | ({ readonly name: 'run' } & RunRequest)
  | { readonly name: 'runs'; readonly action: RunsAction; readonly workspace: string | undefined }
  | { readonly name: 'check'; readonly file: string }
  | { readonly name: 'store'; readonly action: StoreAction; readonly workspace: string | undefined }
  | ({ readonly name: 'data' } & DataRequest)
  | { readonly name: 'help' }
  | { readonly name: 'version' }
  /** What was typed means nothing; `message` says why in one sentence. */
  | { readonly name: 'wrong'; readonly message: string };

export const help = `Usage:
  ratchet run FILE [--seed N] [--no-cache] [--json] [--yes]   run the loop of a recipe (*.loop.yaml)
  ratchet check FILE                     check a recipe and its data, spend nothing
  ratchet test-connection PROVIDER[/MODEL]   say what answers there, or exactly what is wrong
  ratchet data inspect FILE [--json]     look a data file through: shape, mapping, first tasks, rejected rows
  ratchet data import FILE RECIPE        make a recipe use it; a recipe that is not there is made
  ratchet estimate FILE [--json]         what a run would use: calls, tokens, money and time, as ranges
  ratchet runs                           list the runs of a workspace with what they have used
  ratchet resume RUN [--calls N] [--tokens N] [--usd X] [--minutes X]   go on with a paused run, or one stopped by its budget
  ratchet branch RUN [--round N]         go on from a round with the recipe as it is now, paying nothing for what came before
  ratchet branch RUN --retry-failed      the same run once more, asking only what failed
  ratchet compare RUN RUN                cost and outcome of two runs
  ratchet bundle RUN FILE                write a run with all it needs to be run again elsewhere
  ratchet replay FILE                    run a bundle again, with no model and no network
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
  --no-cache   ask anew what earlier runs of the workspace have answers to
  --json     print one JSON object to standard output at the end
  RUN        its id or the start of it, or the name of its recipe and its number: hint-free-star:2
  --changed WHAT   of "run", where a paused run has another recipe: recorded (go on as it was), branch, or new
  --recorded   of "resume" and "branch": the recipe as it was recorded, whatever its file says now
  --workspace FOLDER   the workspace to work on, instead of the folder it is typed in

Ctrl-C pauses the run; the same command goes on with it. A second Ctrl-C ends at once, and nothing saved is lost.

Exit codes: 0 done, 1 below the recipe's threshold, data found damaged or a replay that differs, 2 bad recipe or data, 3 budget reached,
4 the model's provider failed, 5 the engine or its store failed, 6 something changed and a choice is needed, 70 a defect of Ratchet,
130 paused or stopped.
`;

const mostSeed = 0xffff_ffff;
const capOptions = {
  calls: { type: 'string' },
  tokens: { type: 'string' },
  usd: { type: 'string' },
  minutes: { type: 'string' },
} as const;

/** Options as they were typed; each command takes some of them. */
interface Options {
  readonly seed?: string | undefined;
  readonly json?: boolean | undefined;
  readonly 'no-cache'?: boolean | undefined;
  readonly changed?: string | undefined;
  readonly recorded?: boolean | undefined;
  readonly yes?: boolean | undefined;
  readonly round?: string | undefined;
  readonly 'retry-failed'?: boolean | undefined;
  readonly calls?: string | undefined;
  readonly tokens?: string | undefined;
  readonly usd?: string | undefined;
  readonly minutes?: string | undefined;
  readonly workspace?: string | undefined;
  readonly shape?: string | undefined;
}

/** The options each command takes. */
const taken: Readonly<Record<string, readonly (keyof Options)[]>> = {
  run: ['seed', 'no-cache', 'json', 'changed', 'yes'],
  'test-connection': [],
  data: ['json', 'shape'],
  check: [],
  estimate: ['json'],
  runs: ['workspace'],
  resume: ['calls', 'tokens', 'usd', 'minutes', 'recorded', 'yes', 'json', 'workspace'],
  branch: ['round', 'retry-failed', 'recorded', 'yes', 'json', 'workspace'],
  compare: ['workspace'],
  bundle: ['workspace'],
  replay: ['workspace'],
  store: ['workspace'],
};

export function parseCommand(args: readonly string[]): Command {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seed: { type: 'string' },
        json: { type: 'boolean' },
        'no-cache': { type: 'boolean' },
        changed: { type: 'string' },
        recorded: { type: 'boolean' },
        yes: { type: 'boolean', short: 'y' },
        round: { type: 'string' },
        'retry-failed': { type: 'boolean' },
        ...capOptions,
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
  const [name, ...words] = positionals;
  if (name === undefined) return wrong('A command is missing.');
  const options = taken[name];
  if (options === undefined) return wrong(`There is no command "${name}".`);
  const extra = (Object.keys(values) as (keyof Options)[]).find((option) => !options.includes(option));
  if (extra !== undefined) return wrong(`"ratchet ${name}" has no option --${extra}.`);
  switch (name) {
    case 'store':
      return storeCommandOf(words, values);
    case 'data':
      return dataCommandOf(words, values);
    case 'test-connection':
      return testCommandOf(words);
    case 'run':
    case 'check':
    case 'estimate':
      return recipeCommandOf(name, words, values);
    default:
      return runsCommandOf(name, words, values);
  }
}

function recipeCommandOf(
  name: 'run' | 'check' | 'estimate',
  [file, ...rest]: readonly string[],
  values: Options,
): Command {
  if (file === undefined) return wrong(`"ratchet ${name}" needs the path of a recipe.`);
  if (rest.length > 0) return wrong(`"ratchet ${name}" takes one recipe; "${rest.join(' ')}" is too many.`);
  const json = values.json === true;
  if (name === 'check') return { name, file };
  if (name === 'estimate') return { name: 'runs', action: { kind: name, file, json }, workspace: undefined };
  const seed = values.seed === undefined ? undefined : wholeNumber(values.seed);
  if (seed === null)
    return wrong(`--seed takes a whole number from 0 to ${mostSeed}, not "${values.seed ?? ''}".`);
  const choices = ['recorded', 'branch', 'new'] as const;
  const changed = choices.find((choice) => choice === values.changed) ?? null;
  if (changed === null && values.changed !== undefined)
    return wrong(`--changed takes ${choices.join(', ')}, not "${values.changed}".`);
  return { name, file, seed, json, changed, yes: values.yes === true, cache: values['no-cache'] !== true };
}

function testCommandOf([target, ...rest]: readonly string[]): Command {
  if (target === undefined || target === '')
    return wrong('"ratchet test-connection" needs a provider, or provider/model.');
  if (rest.length > 0) return wrong('"ratchet test-connection" tries one provider at a time.');
  return { name: 'test-connection', target };
}

function dataCommandOf([kind, file, ...rest]: readonly string[], values: Options): Command {
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

/** How many words each command on runs takes after its name, and what they are. */
const wordsOf: Readonly<Record<string, readonly string[]>> = {
  runs: [],
  resume: ['a run'],
  branch: ['a run'],
  compare: ['a run', 'another run'],
  bundle: ['a run', 'the path of a file'],
  replay: ['the path of a file'],
};

function runsCommandOf(name: string, words: readonly string[], values: Options): Command {
  const needed = wordsOf[name] ?? [];
  const missing = needed[words.length];
  if (missing !== undefined) return wrong(`"ratchet ${name}" needs ${missing}.`);
  if (words.length > needed.length)
    return wrong(`"ratchet ${name}": "${words.slice(needed.length).join(' ')}" is too many.`);
  const action = runsActionOf(name, words, values);
  return typeof action === 'string' ? wrong(action) : { name: 'runs', action, workspace: values.workspace };
}

/** A sentence where an option cannot be understood. */
function runsActionOf(
  name: string,
  [first = '', second = '']: readonly string[],
  values: Options,
): RunsAction | string {
  const { json = false, recorded = false, yes = false, round, 'retry-failed': retryFailed = false } = values;
  switch (name) {
    case 'resume': {
      const caps = capsOf(values);
      return typeof caps === 'string' ? caps : { kind: name, run: first, caps, recorded, yes, json };
    }
    case 'branch': {
      const number = round === undefined ? null : wholeNumber(round);
      if (round !== undefined && number === null) return `--round takes a whole number, not "${round}".`;
      return { kind: name, run: first, round: number, recorded, retryFailed, yes, json };
    }
    case 'compare':
      return { kind: name, one: first, other: second };
    case 'bundle':
      return { kind: name, run: first, file: second };
    case 'replay':
      return { kind: name, file: first };
    default:
      return { kind: 'runs' };
  }
}

function capsOf(values: Options): RunCaps | string {
  const caps: { -readonly [Cap in keyof RunCaps]: RunCaps[Cap] } = {};
  for (const cap of ['calls', 'tokens', 'usd', 'minutes'] as const) {
    const typed = values[cap];
    if (typed === undefined) continue;
    const whole = cap === 'calls' || cap === 'tokens';
    const value = Number(typed);
    if (!(value > 0) || !Number.isFinite(value) || (whole && !Number.isInteger(value)))
      return `--${cap} takes a ${whole ? 'whole ' : ''}number above 0, not "${typed}".`;
    caps[cap] = value;
  }
  return caps;
}

function storeCommandOf([kind, file, ...rest]: readonly string[], values: Options): Command {
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
