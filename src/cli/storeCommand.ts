/**
 * Owns `ratchet store`: check, compact, export, import, archive and restore the data of a workspace. Joins its engine where one runs,
 * else is the engine for as long as it takes, so that there is one owner either way. Deliberately opens no database itself.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { EngineError, type EngineConnection } from '../client/connection.ts';
import type { RunSummary } from '../core/model/views.ts';
import {
  archiveRun,
  compactStore,
  exportStore,
  importStore,
  listRuns,
  restoreStore,
  storeState,
  storeWarned,
  verifyStore,
} from '../protocol/engine.ts';
import { count, counted } from '../protocol/wording.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { joinWorkspace, type Joined } from './join.ts';
import type { CliContext } from './runCommand.ts';
import type { Terminal } from './terminal.ts';
import { workspaceAbove, workspaceWithRuns } from './workspaceOf.ts';

export type StoreAction =
  | { readonly kind: 'verify' | 'compact' | 'restore' }
  | { readonly kind: 'export' | 'import'; readonly file: string }
  /** `run` is an id, or a recipe's name and the number of its run: "hint-free-star:2". */
  | { readonly kind: 'archive'; readonly run: string; readonly file: string };

export interface StoreRequest {
  readonly action: StoreAction;
  /** The folder to work on; undefined for the one the command is typed in. */
  readonly workspace: string | undefined;
}

/** 0 done, 1 when a check found damage, 5 when the engine or its store failed. */
export async function storeCommand(
  { action, workspace }: StoreRequest,
  context: Pick<CliContext, 'terminal' | 'version' | 'services'>,
): Promise<ExitCode> {
  const { terminal, version, services } = context;
  let joined: Joined | null = null;
  try {
    joined = await joinWorkspace(folderFor(action, workspace ?? process.cwd()), version, services);
    // It is told below, where the request fails with it.
    joined.own?.ended.catch(() => undefined);
    const { connection } = joined;
    if (!connection.hello.compatible)
      throw new EngineError(
        'busy',
        `The engine of this workspace is of version ${connection.hello.version}; restart it from its editor window, or close that, and try again.`,
      );
    connection.on(storeWarned, ({ message }) => terminal.say(message));
    return await perform(action, connection, terminal);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    terminal.say(error.message);
    return exitCodes.engine;
  } finally {
    joined?.connection.close();
    await joined?.own?.stop('its command line is done').catch(() => undefined);
  }
}

/** An import may begin a workspace; everything else needs one that is there. Throws EngineError. */
function folderFor({ kind }: StoreAction, folder: string): string {
  const begins = kind === 'import' && existsSync(folder) && workspaceAbove(folder) === null;
  return begins ? folder : workspaceWithRuns(folder);
}

async function perform(
  action: StoreAction,
  connection: EngineConnection,
  terminal: Terminal,
): Promise<ExitCode> {
  switch (action.kind) {
    case 'verify':
      return verify(connection, terminal);
    case 'compact': {
      const { bytesBefore, bytesAfter } = await connection.request(compactStore, {});
      terminal.print(`Compacted: ${megabytes(bytesBefore)} before, ${megabytes(bytesAfter)} now.`);
      return exitCodes.done;
    }
    case 'export': {
      const file = path.resolve(action.file);
      await connection.request(exportStore, { file });
      terminal.print(`Exported to ${file}, which any SQLite reads.`);
      return exitCodes.done;
    }
    case 'import': {
      const { runs, known, experiences } = await connection.request(importStore, {
        file: path.resolve(action.file),
      });
      const rest = known === 0 ? '' : `; ${counted(known, 'run')} known already`;
      terminal.print(`Imported ${counted(runs, 'run')} with ${counted(experiences, 'experience')}${rest}.`);
      return exitCodes.done;
    }
    case 'archive':
      return archive(action, connection, terminal);
    case 'restore':
      return restore(connection, terminal);
  }
}

async function verify(connection: EngineConnection, terminal: Terminal): Promise<ExitCode> {
  const { ok, checked, problems } = await connection.request(verifyStore, {});
  const { runs, experiences, backups, warnings, backupTrouble } = await connection.request(storeState, {});
  for (const line of [...warnings, ...problems, ...(backupTrouble === null ? [] : [backupTrouble])])
    terminal.say(line);
  const newest = backups[0] === undefined ? 'no backup yet' : `newest backup ${timeOf(backups[0].madeAt)}`;
  const holds = `${counted(runs, 'run')}, ${counted(experiences, 'experience')}, ${newest}`;
  terminal.print(ok ? `Whole: ${count(checked)} rows checked; ${holds}.` : `Damaged; ${holds}.`);
  return ok ? exitCodes.done : exitCodes.belowThreshold;
}

/** Runs by what a person may call them, oldest first. */
export function runsByName(runs: readonly RunSummary[]): ReadonlyMap<string, RunSummary> {
  const numbers = new Map<string, number>();
  const named = new Map<string, RunSummary>();
  for (const run of [...runs].sort((one, other) => one.startedAt - other.startedAt)) {
    const number = (numbers.get(run.recipePath) ?? 0) + 1;
    numbers.set(run.recipePath, number);
    named.set(`${run.recipeName}:${number}`, run);
  }
  return named;
}

async function archive(
  { run, file }: Extract<StoreAction, { kind: 'archive' }>,
  connection: EngineConnection,
  terminal: Terminal,
): Promise<ExitCode> {
  const runs = await connection.request(listRuns, {});
  const named = runsByName(runs);
  const found = runs.find(({ id }) => id === run) ?? named.get(run);
  if (found === undefined)
    throw new EngineError(
      'notFound',
      named.size === 0
        ? 'There is no run in this workspace.'
        : `There is no run ${run} in this workspace; there are ${[...named.keys()].join(', ')}.`,
    );
  const target = path.resolve(file);
  const { experiences, bytes } = await connection.request(archiveRun, {
    runId: found.id,
    file: target,
    replace: false,
  });
  terminal.print(
    `Archived ${counted(experiences, 'experience')} to ${target} (${megabytes(bytes)}); "ratchet store import" brings them back.`,
  );
  return exitCodes.done;
}

async function restore(connection: EngineConnection, terminal: Terminal): Promise<ExitCode> {
  const { madeAt, runs, experiences, keptAs, missing } = await connection.request(restoreStore, {});
  const lost = [
    ...(missing.runs > 0 ? [counted(missing.runs, 'run')] : []),
    ...(missing.experiences > 0 ? [counted(missing.experiences, 'experience')] : []),
    ...(missing.answers > 0 ? [counted(missing.answers, 'answer')] : []),
  ];
  terminal.print(
    `Restored the backup of ${timeOf(madeAt)}: ${counted(runs, 'run')}, ${counted(experiences, 'experience')}.`,
  );
  if (lost.length > 0) terminal.say(`Made later and not in it: ${lost.join(', ')}.`);
  if (keptAs !== null) terminal.say(`The damaged file is kept as ${keptAs}.`);
  return exitCodes.done;
}

function timeOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
