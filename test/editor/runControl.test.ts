// Owns the proof that a person in the editor sees what a loop costs and stays in control of it, against a server that bills:
// the estimate before, the meters during, a stop by the budget and a new cap, both ways to pause, a changed recipe, a branch,
// two runs compared, a bundle and its replay.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { type FakeServer, startOpenAiServer } from '../fakes/openaiServer.ts';
import { answer, choose, quickInput, runCommand, useTheme } from './harness/commands.ts';
import { answerFileDialog } from './harness/dialogs.ts';
import { openEditor, repository, type Editor } from './harness/editor.ts';
import { adding, searchLoop } from './harness/providerEditors.ts';
import { keepEvidence, screenshot } from './harness/screenshot.ts';
import type { Theme } from './harness/settings.ts';
import * as shell from './harness/shell.ts';
import * as trees from './harness/trees.ts';
import { webviewFrame } from './harness/webviews.ts';

const name = 'billed';
/** What opens at the top of the window fades in; a picture of it waits that long. */
const fadeMs = 400;
const loop = searchLoop({
  name,
  model: '{ provider: adders, model: adder }',
  budget: '{ calls: 100, usd: 5 }',
  confirm: false,
});

describe('money and run control', () => {
  let server: FakeServer;
  let editor: Editor;
  let page: Page;
  let folder = '';
  /** While set, the server keeps its answers back. */
  let gate: Promise<void> | null = null;
  const hold = () => {
    const held = Promise.withResolvers<void>();
    gate = held.promise;
    return () => {
      gate = null;
      held.resolve();
    };
  };
  const failed = (part: string) => onTestFailed(() => keepEvidence(editor, `run-control-${part}`));
  const panel = () => webviewFrame(page, name);
  const press = async (button: string) =>
    (await panel()).getByRole('button', { name: button, exact: true }).click();
  /** A panel that is still opening would take the focus from what is opened next. */
  const openPanel = async () => {
    await trees.clickTreeItem(page, 'Loops & Runs', name);
    await (await panel()).getByRole('heading', { name }).click();
  };

  beforeAll(async () => {
    server = await startOpenAiServer(async (response, request) => {
      await gate;
      return adding(response, request);
    });
    folder = mkdtempSync(path.join(tmpdir(), 'ratchet-control-'));
    const workspace = path.join(folder, 'work');
    mkdirSync(workspace);
    writeFileSync(path.join(workspace, `${name}.loop.yaml`), loop);
    const prices = { adder: { input: 100, output: 100 } };
    editor = await openEditor({
      workspace,
      extensions: [repository],
      settings: {
        'ratchet.providers': { adders: { baseURL: server.baseURL, concurrency: 4, prices } },
        'files.simpleDialog.enable': true,
      },
      viewport: { width: 1280, height: 800 },
    });
    page = editor.page;
    await trees.openContainer(page, 'Ratchet');
    await openPanel();
  });
  afterAll(async () => {
    await editor.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('says before a run what it would use, and which cap it would meet', async () => {
    failed('estimate');
    const frame = await panel();
    const line = frame.locator('.cost-line');
    await line.getByText('A run would use about').waitFor();
    expect(await line.textContent()).toMatch(/calls.*tokens.*\$.*time unknown/su);
    await frame.getByLabel('Budget, US dollars').first().waitFor();
    await screenshot(page, 'run-control-estimate');
  });

  it('is stopped by its budget, keeps everything, and goes on under a new cap', async () => {
    failed('budget');
    await press('Run');
    const frame = await panel();
    await frame.getByText('Stopped by its budget:').waitFor();
    expect(server.seen.length).toBeLessThanOrEqual(100);
    await frame.getByLabel(/^Model calls: \d+ of 100$/u).waitFor();
    expect(await frame.locator('.spend').textContent()).toMatch(/Money\s+\$\d+\.\d+ of \$5\.00/u);
    await screenshot(page, 'run-control-budget');
    const paid = server.seen.length;
    await press('Resume with a New Cap...');
    await choose(page, 'Model calls');
    await expect.poll(() => quickInput(page).inputValue()).toBe('200');
    await page.waitForTimeout(fadeMs);
    await screenshot(page, 'run-control-new-cap');
    const release = hold();
    await answer(page, '2000');
    await frame.getByText(`Resumed: ${String(paid)} recovered, 0 calls to repeat.`).waitFor();
    await shell.waitForStatusBar(page, '$');
    // The new cap is the one that is shown, even while no answer comes.
    await frame.locator('.cost-line', { hasText: /of 2.000 calls/u }).waitFor();
    await frame.getByLabel(/^Model calls: \d+ of 2.000$/u).waitFor();
    await screenshot(page, 'run-control-running');
    await press('Pause');
    await frame.getByText('Pausing once the calls in flight are answered').waitFor();
    await screenshot(page, 'run-control-pausing');
    release();
    await frame.getByRole('button', { name: 'Resume', exact: true }).waitFor();
  });

  it('breaks calls off when told to, and says what will be repeated', async () => {
    failed('pause-now');
    const release = hold();
    await press('Resume');
    const frame = await panel();
    const before = server.seen.length;
    await expect.poll(() => server.seen.length).toBeGreaterThan(before);
    await press('Pause');
    await press('Pause Now');
    await frame.getByRole('button', { name: 'Resume', exact: true }).waitFor();
    release();
    await press('Resume');
    await frame.getByText(/Resumed: \d+ recovered, [1-4] calls? to repeat/u).waitFor();
    await frame.getByText('Done: 2 rounds').waitFor();
  });

  it('branches with a changed recipe, paying nothing for what is shared, and compares the two', async () => {
    failed('branch');
    const file = path.join(editor.workspace, `${name}.loop.yaml`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('be kind', 'be careful'));
    const before = server.seen.length;
    await runCommand(page, 'Ratchet: Branch from Round...');
    await choose(page, 'With the Recipe as It Is Now');
    await page.waitForTimeout(fadeMs);
    await screenshot(page, 'run-control-branch');
    await choose(page, 'Up to Round 1');
    const frame = await panel();
    await frame.getByText(/taken from the run it branched from/u).waitFor();
    await frame.getByText('Done: 2 rounds').waitFor();
    await frame.getByRole('combobox', { name: 'Run to show' }).waitFor();
    process.stdout.write(
      `Branch: ${String(before)} calls before, ${String(server.seen.length - before)} for it.\n`,
    );
    expect(server.seen.length - before).toBeLessThan(before);
    await runCommand(page, 'Ratchet: Compare Runs...');
    await choose(page, `${name}, Run 1`);
    await expect.poll(async () => (await shell.editorLines(page)).join('\n')).toContain('Answers reused');
    await screenshot(page, 'run-control-compare');
  });

  it('takes a run out as a bundle and runs it again without asking anybody', async () => {
    failed('bundle');
    await openPanel();
    await runCommand(page, 'Ratchet: Export Run Bundle...');
    const file = path.join(folder, 'taken.ratchetbundle');
    await answerFileDialog(page, 'Export Bundle of', file);
    await shell.waitForNotification(page, 'Bundled');
    expect(readFileSync(file).length).toBeGreaterThan(1_000);
    const before = server.seen.length;
    await runCommand(page, 'Notifications: Clear All Notifications');
    await runCommand(page, 'Ratchet: Replay Bundle...');
    await answerFileDialog(page, 'Replay Bundle', file);
    await shell.waitForNotification(page, 'the same as when it was bundled');
    await screenshot(page, 'run-control-replay');
    expect(server.seen.length).toBe(before);
  });

  it('asks which way to go when the recipe of a paused run has changed', async () => {
    failed('changed');
    await openPanel();
    const release = hold();
    await press('Run');
    const frame = await panel();
    await press('Pause');
    await press('Pause Now');
    await frame.getByRole('button', { name: 'Resume', exact: true }).waitFor();
    release();
    const file = path.join(editor.workspace, `${name}.loop.yaml`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('be careful', 'be quick'));
    await press('Resume');
    const dialog = page.locator('.monaco-dialog-box');
    await dialog.getByText('has changed since this run began').waitFor();
    await screenshot(page, 'run-control-changed');
    await dialog.getByRole('button', { name: 'Go On as Recorded' }).click();
    // Its file still says 100 calls, and it goes on up to them.
    await frame.getByText('Stopped by its budget:').waitFor();
  });

  it('looks right in every theme and in a narrow window', async () => {
    failed('themes');
    for (const theme of ['light', 'highContrast'] satisfies readonly Theme[]) {
      await useTheme(page, theme);
      await screenshot(page, `run-control-${theme}`);
    }
    await page.setViewportSize({ width: 1280, height: 1700 });
    await screenshot(page, 'run-control-whole');
    await page.setViewportSize({ width: 800, height: 1000 });
    await screenshot(page, 'run-control-800');
  });
});
