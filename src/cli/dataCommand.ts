/**
 * Owns `ratchet data`: looking a data file through, and making a recipe use it. Deliberately starts no engine and runs
 * nothing: it reads one file and writes, when asked, the `data` of one recipe.
 */
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspectData } from '../adapters/datasets/inspect.ts';
import { editData, newLoopText } from '../core/loop/editData.ts';
import { mappedParts, type DataInspection, type DataShape, type FieldMap } from '../core/model/dataset.ts';
import { DataError } from '../core/ports.ts';
import { offeredMetrics } from '../protocol/offeredMetrics.ts';
import { count, counted, percent } from '../protocol/wording.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import type { Terminal } from './terminal.ts';
import { workspaceAbove } from './workspaceOf.ts';

export interface DataRequest {
  readonly file: string;
  /** Null to look only. */
  readonly recipe: string | null;
  /** Found by looking at the rows when absent. */
  readonly shape: DataShape | undefined;
  readonly json: boolean;
}

const previewed = 3;
const longest = 200;

/** 0 done, 2 when the file or the recipe cannot be used, or no row of the file is a task. */
export async function dataCommand(request: DataRequest, terminal: Terminal): Promise<ExitCode> {
  const { file, recipe, shape, json } = request;
  try {
    const full = path.resolve(file);
    const found = await inspectData(
      path.basename(full),
      shape === undefined ? {} : { shape },
      path.dirname(full),
    );
    if (json) terminal.print(JSON.stringify(found, null, 2));
    else for (const line of inspectionLines({ ...found, file })) terminal.print(line);
    if (found.tasks === 0) {
      terminal.say(`${file} has no row that is a task.`);
      return exitCodes.badRecipe;
    }
    return recipe === null ? exitCodes.done : useIn(recipe, full, found, terminal);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    terminal.say(error.message);
    return exitCodes.badRecipe;
  }
}

/** Control characters of a file would write to the terminal what its author likes. */
function shown(text: string): string {
  const line = text
    .slice(0, 2 * longest)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '?')
    .trim();
  return line.length > longest ? `${line.slice(0, longest)}...` : line;
}

function pathsText(paths: FieldMap[keyof FieldMap]): string {
  return shown(typeof paths === 'string' ? paths : (paths ?? []).join(' + '));
}

function inspectionLines(found: DataInspection): readonly string[] {
  const { used, others, reasons, preview } = found;
  return [
    `${found.file}: ${found.format}, ${counted(found.rows, 'row')}, ${counted(found.tasks, 'task')}, ${count(found.duplicates)} twice, ${count(found.rejected)} rejected.`,
    `Shape ${used.shape}, fits ${percent(used.confidence)} of the first rows. ${shown(used.evidence)}`,
    ...(others.length === 0 ? [] : [`Would fit, too: ${others.map(({ shape }) => shape).join(', ')}.`]),
    ...mappedParts.flatMap((part) =>
      used.map[part] === undefined ? [] : [`  ${part.padEnd(10)} <- ${pathsText(used.map[part])}`],
    ),
    ...found.notes.map(shown),
    ...reasons.map(
      ({ count: rows, reason, lines }) =>
        `  rejected ${count(rows)}: ${shown(reason)} (line ${lines.join(', ')}${rows > lines.length ? ', ...' : ''})`,
    ),
    ...preview
      .slice(0, previewed)
      .map(
        ({ line, task }) =>
          `  line ${line}: ${shown(task.input)}${task.reference === undefined ? '' : ` -> ${shown(task.reference)}`}`,
      ),
  ];
}

/** Changes the recipe's `data`, or makes the recipe where there is none. */
function useIn(
  recipe: string,
  file: string,
  { used, preview }: DataInspection,
  terminal: Terminal,
): ExitCode {
  const folder = path.dirname(path.resolve(recipe));
  if (!existsSync(folder)) {
    terminal.say(`There is no folder ${path.dirname(recipe)} for the recipe.`);
    return exitCodes.badRecipe;
  }
  const named = path.relative(realpathSync(folder), realpathSync(file)).split(path.sep).join('/');
  const workspace = workspaceAbove(folder) ?? realpathSync(folder);
  if (path.relative(workspace, realpathSync(file)).split(path.sep)[0] === '..')
    terminal.say(
      `${named} lies outside of the recipe's workspace; copy it into ${workspace} before the recipe runs.`,
    );
  const data = { file: named, shape: used.shape, map: used.map };
  if (!existsSync(recipe)) {
    const name = path.basename(recipe).replace(/\.loop\.ya?ml$/, '');
    const metric = offeredMetrics({ used, preview })[0]?.metric ?? 'exact';
    writeFileSync(recipe, newLoopText({ name, model: 'pocket', metric, data }), { flag: 'wx' });
    terminal.print(`${recipe} is a new loop on this data; say which model it is for.`);
    return exitCodes.done;
  }
  const text = readFileSync(recipe, 'utf8');
  const edit = editData(text, data);
  if (edit === null) {
    terminal.say(`${recipe} is not a recipe that can be changed; "ratchet check" says why.`);
    return exitCodes.badRecipe;
  }
  writeFileSync(recipe, text.slice(0, edit.start) + edit.text + text.slice(edit.end));
  terminal.print(`${recipe} uses this data now; every other line is as it was.`);
  return exitCodes.done;
}
