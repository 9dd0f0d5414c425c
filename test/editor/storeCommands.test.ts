// Owns the proof that a person can take the workspace's data out, bring it in, move a run away and get it back after
// damage, in a real editor, and that a workspace of a newer version is read and never written.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { backupFile } from '../../src/adapters/store/backups.ts';
import { openDatabase } from '../../src/adapters/store/database.ts';
import { createStore } from '../../src/adapters/store/localStore.ts';
import { MIGRATIONS, newestVersion } from '../../src/adapters/store/migrations.ts';
import { logPath } from '../../src/adapters/store/ownMarks.ts';
import { unsynced, wasm } from '../unit/adapters/store/samples.ts';
import { choose, runCommand, typeKeys, useTheme } from './harness/commands.ts';
import { answerFileDialog, answerMessage } from './harness/dialogs.ts';
import { openEditor, repository, sample, type Editor } from './harness/editor.ts';
import { eventually } from './harness/eventually.ts';
import { enginesOf } from './harness/reaper.ts';
import { keepEvidence, screenshot } from './harness/screenshot.ts';
import * as shell from './harness/shell.ts';
import * as trees from './harness/trees.ts';
import { storeRun } from './scaleWorkspace.ts';

const experiences = 'Experiences';
const runs = [
  { id: 'first', recipe: 'own-tasks', rounds: 2, experiences: 40 },
  { id: 'second', recipe: 'hint-free-star', rounds: 2, experiences: 80 },
] as const;
const newer = newestVersion(MIGRATIONS) + 1;

/** The sample with two runs of its loops and a backup of them; `newer.ratchetdb` beside it is of a newer schema. */
async function makeWorkspace(
  parent: string,
): Promise<{ readonly workspace: string; readonly newer: string }> {
  const workspace = path.join(parent, 'kept-data');
  cpSync(sample, workspace, { recursive: true });
  const file = path.join(workspace, '.ratchet', 'workspace.ratchetdb');
  const database = await openDatabase({ file, wasm, files: unsynced });
  const store = createStore(database);
  let offset = 0;
  for (const [nth, run] of runs.entries()) {
    await storeRun(store, run, offset, nth);
    offset += run.experiences;
  }
  database.exportTo(backupFile(file, Date.now(), newestVersion(MIGRATIONS)));
  await store.close();
  const later = path.join(parent, 'newer.ratchetdb');
  copyFileSync(file, later);
  const migrations = [...MIGRATIONS, { version: newer, apply: () => undefined }];
  (await openDatabase({ file: later, wasm, files: unsynced, migrations })).close();
  return { workspace, newer: later };
}

const rows = async (page: Page, view: string) =>
  (await trees.treeItems(page, view)).map(({ label }) => label.replaceAll('\u00a0', ' '));

/** How many solutions any SQLite finds in a file. */
function solutionsIn(file: string): number {
  const plain = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(plain.prepare('SELECT count(*) AS n FROM solutions').get()?.['n']);
  } finally {
    plain.close();
  }
}

describe("the workspace's data in the editor", () => {
  let editor: Editor;
  let page: Page;
  let later: string;
  const parent = mkdtempSync(path.join(tmpdir(), 'ratchet-store-commands-'));
  const failed = (name: string) => onTestFailed(() => keepEvidence(editor, `store-${name}`));
  const at = (...names: readonly string[]) => path.join(editor.workspace, ...names);
  const database = () => at('.ratchet', 'workspace.ratchetdb');

  /** Another file in the place of the database, and an engine that opens it: the old one ends without a word. */
  async function replaceDatabase(by: string): Promise<void> {
    const engines = enginesOf(editor.workspace);
    expect(engines).toHaveLength(1);
    rmSync(logPath(database()), { force: true });
    renameSync(by, database());
    for (const id of engines) process.kill(id, 'SIGKILL');
  }

  beforeAll(async () => {
    const made = await makeWorkspace(parent);
    later = made.newer;
    editor = await openEditor({
      workspace: made.workspace,
      extensions: [repository],
      viewport: { width: 1280, height: 800 },
      settings: { 'files.simpleDialog.enable': true },
    });
    page = editor.page;
    await trees.openContainer(page, 'Ratchet');
  });
  afterAll(async () => {
    await editor.close();
    rmSync(parent, { recursive: true, force: true });
  });

  it('is exported to a file that any SQLite reads, but not among its own files', async () => {
    failed('export');
    await eventually(() => rows(page, experiences)).toEqual(['hint-free-star, Run 1', 'own-tasks, Run 1']);
    await runCommand(page, 'Ratchet: Export Workspace Data...');
    await answerFileDialog(page, 'Export Workspace Data', at('.ratchet', 'out.sqlite'));
    await shell.waitForNotification(page, 'The folder .ratchet is Ratchet\u2019s own. Choose another one.');
    expect(existsSync(at('.ratchet', 'out.sqlite'))).toBe(false);
    await runCommand(page, 'Notifications: Clear All Notifications');
    await runCommand(page, 'Ratchet: Export Workspace Data...');
    await answerFileDialog(page, 'Export Workspace Data', at('out.sqlite'));
    await shell.waitForNotification(page, `Exported to ${at('out.sqlite')}, which any SQLite reads.`);
    expect(solutionsIn(at('out.sqlite'))).toBe(120);
    expect(readdirSync(editor.workspace).filter((name) => name.includes('.export'))).toEqual([]);
  });

  it('lets a run go to a file of its own, from where an import brings it back', async () => {
    failed('archive');
    await runCommand(page, 'Notifications: Clear All Notifications');
    await runCommand(page, 'Ratchet: Archive Run...');
    await page.locator('.quick-input-widget:visible .monaco-list-row').nth(1).waitFor();
    await screenshot(page, 'store-archive-dark-1280');
    await choose(page, 'own-tasks, Run 1');
    await answerFileDialog(page, 'Archive own-tasks, Run 1', at('old.sqlite'));
    await shell.waitForNotification(page, 'Archived own-tasks, Run 1 with 40 experiences to');
    await eventually(() => rows(page, experiences)).toEqual(['hint-free-star, Run 1']);
    expect(solutionsIn(at('old.sqlite'))).toBe(40);
    await screenshot(page, 'store-archived-dark-1280');
    await runCommand(page, 'Notifications: Clear All Notifications');
    await runCommand(page, 'Ratchet: Import Workspace Data...');
    await answerFileDialog(page, 'Import Workspace Data', at('old.sqlite'));
    await shell.waitForNotification(page, 'Imported 1 run with 40 experiences.');
    await eventually(() => rows(page, experiences)).toHaveLength(2);
    await trees.expandTreeItem(page, experiences, ['own-tasks, Run 1', 'Round 1', 'Kept']);
    await runCommand(page, 'Notifications: Clear All Notifications');
    await runCommand(page, 'Ratchet: Import Workspace Data...');
    await answerFileDialog(page, 'Import Workspace Data', at('tasks.jsonl'));
    await shell.waitForNotification(page, 'it is not a Ratchet workspace. Nothing was changed.');
  });

  it('is restored from its backup where it is damaged, and the damaged file is kept', async () => {
    failed('restore');
    await runCommand(page, 'Notifications: Clear All Notifications');
    const damaged = path.join(parent, 'damaged.ratchetdb');
    copyFileSync(database(), damaged);
    truncateSync(damaged, 20_000);
    const bytes = readFileSync(damaged);
    await replaceDatabase(damaged);
    await shell.waitForNotification(page, 'The newest good backup is of');
    expect(await shell.notificationTexts(page)).toHaveLength(1);
    for (const theme of ['dark', 'light', 'highContrast'] as const) {
      await useTheme(page, theme);
      await screenshot(page, `store-damaged-${theme}-1280`);
    }
    await page.setViewportSize({ width: 800, height: 600 });
    await screenshot(page, 'store-damaged-highContrast-800');
    await shell.answerNotification(page, 'The newest good backup is of', 'Restore Backup...');
    await page.locator('.monaco-dialog-box').waitFor();
    await screenshot(page, 'store-restore-highContrast-800');
    await page.setViewportSize({ width: 1280, height: 800 });
    await answerMessage(page, 'Put the newest good backup in the place', 'Restore');
    await shell.waitForNotification(page, 'Restored the backup of');
    await eventually(() => rows(page, experiences)).toEqual(['hint-free-star, Run 1', 'own-tasks, Run 1']);
    const kept = readdirSync(at('.ratchet')).filter((name) => name.includes('damaged'));
    expect(kept.some((name) => readFileSync(at('.ratchet', name)).equals(bytes))).toBe(true);
    await useTheme(page, 'dark');
  });

  it('of a newer version is read, and says why it is not changed', async () => {
    failed('newer');
    await runCommand(page, 'Notifications: Clear All Notifications');
    const bytes = readFileSync(later);
    await replaceDatabase(later);
    await eventually(() => rows(page, experiences)).toEqual(['hint-free-star, Run 1', 'own-tasks, Run 1']);
    await runCommand(page, 'Ratchet: Import Workspace Data...');
    await answerFileDialog(page, 'Import Workspace Data', at('old.sqlite'));
    const sentence = 'was written by a newer version of Ratchet, so this one only reads it. Update Ratchet';
    await shell.waitForNotification(page, sentence);
    await screenshot(page, 'store-newer-dark-1280');
    await trees.expandTreeItem(page, experiences, ['own-tasks, Run 1', 'Round 1', 'Kept']);
    await runCommand(page, 'Notifications: Clear All Notifications');
    await typeKeys(page, 'Escape');
    await runCommand(page, 'Ratchet: Export Workspace Data...');
    await answerFileDialog(page, 'Export Workspace Data', at('newer.sqlite'));
    await shell.waitForNotification(page, 'Exported to');
    expect(solutionsIn(at('newer.sqlite'))).toBe(120);
    expect(readFileSync(database()).equals(bytes)).toBe(true);
  });

  it('writes no error to the console', () => {
    // The editor writes each message of a failure it shows to the console, too.
    const shown = [
      'The folder .ratchet is Ratchet\u2019s own.',
      'it is not a Ratchet workspace.',
      'is damaged: it was cut off',
      'was written by a newer version of Ratchet',
    ];
    const others = editor
      .consoleErrors()
      .filter((error) => !shown.some((sentence) => error.includes(sentence)));
    expect(others).toEqual([]);
  });
});
