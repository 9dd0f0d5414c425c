// Owns the proof that the harness drives a real editor, on the smallest extension that has a tree, commands, a panel,
// a status-bar item and a child process that outlives its window. The product has tests of its own.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { openFile, reloadWindow, runCommand, typeKeys, useTheme } from './harness/commands.ts';
import { openEditor, type Editor } from './harness/editor.ts';
import { processesOf } from './harness/reaper.ts';
import { keepEvidence, screenshot } from './harness/screenshot.ts';
import { themes } from './harness/settings.ts';
import * as shell from './harness/shell.ts';
import * as trees from './harness/trees.ts';
import { webviewFrame, webviewTitles } from './harness/webviews.ts';

/** A busy machine may take its time over each of these. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });

const fixtures = path.join(import.meta.dirname, 'fixtures');

describe('the editor harness', () => {
  let editor: Editor;
  const failed = (name: string) => onTestFailed(() => keepEvidence(editor, name));

  beforeAll(async () => {
    editor = await openEditor({
      workspace: path.join(fixtures, 'workspace'),
      extensions: [path.join(fixtures, 'hello')],
      viewport: { width: 1280, height: 800 },
    });
    await shell.waitForStatusBar(editor.page, 'Hello 0');
  });
  afterAll(() => editor.close());

  it('reads and uses trees', async () => {
    failed('trees');
    const { page } = editor;
    await trees.openContainer(page, 'Hello');
    await trees.expandTreeItem(page, 'Greetings', 'Morning');
    const items = await trees.treeItems(page, 'Greetings');
    expect(items.map(({ label, level }) => `${String(level)} ${label}`)).toEqual([
      ...['1 Morning', '2 Rooster', '2 Coffee', '1 Evening'],
    ]);
    expect(items[1]).toMatchObject({ description: 'a greeting', expanded: undefined });
    await trees.clickTreeItem(page, 'Greetings', ['Evening', 'Owl']);
    await shell.waitForNotification(page, 'Owl says hello');
    await trees.chooseFromTreeMenu(page, 'Farewells', 'Bye', 'Wave');
    await shell.waitForNotification(page, 'Waving to Bye');
    await trees.clickTreeAction(page, 'Greetings', ['Morning', 'Coffee'], 'Wave');
    await shell.waitForNotification(page, 'Waving to Coffee');
  });

  it('reads a tree longer than its view', async () => {
    failed('long-tree');
    const { page } = editor;
    await trees.expandTreeItem(page, 'Farewells', 'Hundred');
    const items = await trees.treeItems(page, 'Farewells');
    expect(items).toHaveLength(102);
    await trees.clickTreeItem(page, 'Farewells', ['Hundred', 'Number 97']);
    await shell.waitForNotification(page, 'Number 97 says hello');
    await trees.clickTreeItem(page, 'Farewells', 'Number 3');
    await shell.waitForNotification(page, 'Number 3 says hello');
  });

  it('opens a view that is folded', async () => {
    failed('folded');
    const { page } = editor;
    await trees.pane(page, 'Greetings').locator('.pane-header h3').click();
    await trees.clickTreeItem(page, 'Greetings', ['Morning', 'Rooster']);
    await shell.waitForNotification(page, 'Rooster says hello');
  });

  it('answers notifications', async () => {
    failed('notifications');
    const { page } = editor;
    await runCommand(page, 'Hello: Notify');
    await shell.waitForNotification(page, 'Mind the gap');
    expect(await shell.notificationTexts(page)).toContain('Mind the gap');
    await shell.answerNotification(page, 'Mind the gap', 'Mind it');
    await shell.waitForNotification(page, 'Minded');
  });

  it('drives a panel, and two windows on one folder', async () => {
    failed('panel');
    const { page } = editor;
    await runCommand(page, 'Hello: Open Hello Panel');
    const panel = await webviewFrame(page, 'Second');
    await panel.getByRole('button', { name: 'Up' }).click();
    await panel.getByRole('heading', { name: 'Count 1' }).waitFor();
    expect(await webviewTitles(page)).toEqual(['Second panel']);
    const other = await editor.openWindow();
    await shell.waitForStatusBar(other, 'Hello 1');
    await runCommand(other, 'Hello: Open Hello Panel');
    await (await webviewFrame(other, 'Second')).getByRole('heading', { name: 'Count 1' }).waitFor();
    await other.close();
  });

  it('opens and compares files', async () => {
    failed('files');
    const { page } = editor;
    await openFile(page, 'b.json');
    await openFile(page, 'a.json');
    await eventually(() => shell.editorLines(page)).toEqual(['{ "greeting": "hello" }', '']);
    await runCommand(page, 'Hello: Compare');
    await eventually(() => shell.originalLines(page)).toEqual(['{ "greeting": "hello" }', '']);
    await eventually(() => shell.editorLines(page)).toEqual(['{ "greeting": "goodbye" }', '']);
    expect(await shell.tabTitles(page)).toEqual(expect.arrayContaining(['b.json', 'a.json', 'a against b']));
    await typeKeys(page, 'Control+F4');
  });

  it('changes theme while it runs and keeps its state over a reload', async () => {
    failed('reload');
    const { page } = editor;
    await useTheme(page, 'light');
    await page.locator('.monaco-workbench.vs').waitFor();
    // The editor writes the theme it was told to the disk a little later.
    await eventually(() => editor.settings()['workbench.colorTheme']).toContain(themes.light.label);
    editor.changeSettings({ 'workbench.colorTheme': themes.highContrast.id });
    await reloadWindow(page);
    await page.locator('.monaco-workbench.hc-black').waitFor();
    await shell.waitForStatusBar(page, 'Hello 1');
    await screenshot(page, 'harness-high-contrast');
  });

  it('has written no error to a console and ends everything it started', async () => {
    const place = path.dirname(editor.workspace);
    expect(editor.consoleErrors()).toEqual([]);
    expect(processesOf(place).length).toBeGreaterThan(2);
    await editor.close();
    expect(processesOf(place)).toEqual([]);
  });
});
