// Owns the proof that any model can be used from the editor, and only the one the user chose: a model of the editor itself
// that a second extension brings, a server on this machine, keys, Test Connection, and workspaces that mean harm.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, startOpenAiServer, type FakeServer, type Reply } from '../fakes/openaiServer.ts';
import {
  answer,
  choose,
  quickInput,
  reloadWindow,
  runCommand,
  typeKeys,
  useTheme,
} from './harness/commands.ts';
import { type Editor } from './harness/editor.ts';
import { eventually } from './harness/eventually.ts';
import { enginesOf } from './harness/reaper.ts';
import { screenshot } from './harness/screenshot.ts';
import type { Settings, Theme } from './harness/settings.ts';
import * as shell from './harness/shell.ts';
import * as trees from './harness/trees.ts';
import {
  adding,
  callsMade,
  canary,
  closeEditors,
  failed,
  folderWith,
  open,
  openPanel,
  press,
  recipe,
  removeFolders,
} from './harness/providerEditors.ts';

afterAll(removeFolders);

/** Whether the list of providers shows this address: the window has taken the settings over. */
async function readSetting(page: Page, host: string): Promise<boolean> {
  await runCommand(page, 'Ratchet: Set API Key...');
  const shown = await page
    .locator('.quick-input-widget:visible .label-description', { hasText: host })
    .first()
    .waitFor({ timeout: 3_000 })
    .then(() => true)
    .catch(() => false);
  await page.keyboard.press('Escape');
  return shown;
}

/** As a person would: in the editor, which takes them over at once. A reload would lose the secrets of an editor in a browser. */
async function writeUserSettings({ page, settings }: Editor, extra: Settings): Promise<void> {
  const wanted = { ...settings(), ...extra };
  await runCommand(page, 'Preferences: Open User Settings (JSON)');
  await page.locator('.monaco-editor .view-line', { hasText: 'workbench' }).first().click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(JSON.stringify(wanted));
  // What the editor closed by itself, after what was typed.
  await typeKeys(page, 'Control+Shift+End', 'Delete', 'Control+s');
  await eventually(() => settings()).toEqual(wanted);
  await page.keyboard.press('Escape');
}

describe('a model of the editor', () => {
  let editor: Editor;
  let page: Page;
  let log = '';
  const asked = () =>
    (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [])
      .filter((line) => line !== '')
      .map(
        (line) =>
          JSON.parse(line) as { asked?: string; answered?: string; roles?: number[]; options?: unknown },
      );
  const name = 'on-editor';

  beforeAll(async () => {
    const workspace = folderWith({
      [`${name}.loop.yaml`]: recipe(name, '{ provider: editor, model: sums/sums-1 }'),
      'missing.loop.yaml': recipe('missing', '{ provider: editor, model: sums/other }'),
    });
    log = path.join(path.dirname(workspace), 'sums.log');
    editor = await open({ workspace, environment: { SUMS_LOG: log } });
    page = editor.page;
  });
  afterAll(closeEditors);

  it('runs a loop, over a reload of the window, and asks at most what was under way a second time', async () => {
    failed(editor, 'editor-run');
    writeFileSync(`${log}.hold`, '');
    await openPanel(page, name);
    await press(page, name, 'Run');
    await eventually(() => asked().length).toBeGreaterThan(0);
    await page.waitForTimeout(500);
    const underWay = asked().length;
    expect(underWay).toBeLessThanOrEqual(4);
    rmSync(`${log}.hold`);
    await eventually(() => asked().filter((line) => line.answered !== undefined).length).toBeGreaterThan(20);
    await reloadWindow(page);
    const panel = await openPanel(page, name);
    await panel.getByText('Done: 2 rounds').waitFor({ timeout: 60_000 });
    const made = await callsMade(editor, name);
    const calls = asked().filter((line) => line.asked !== undefined);
    process.stdout.write(`Editor model: ${made} calls made, ${calls.length} asked of the extension.\n`);
    expect(calls.length - made).toBeGreaterThanOrEqual(0);
    expect(calls.length - made).toBeLessThanOrEqual(4);
    // The instruction that helps was found, so the answers were really the model's.
    await panel.getByText('take steps').first().waitFor();
    // 1 is the user's role; there is no other, because the instruction is folded into what the user says.
    for (const { roles, asked: text } of calls) {
      expect(roles).toEqual([1]);
      expect(text).toMatch(/\d+\+\d+$/);
    }
    expect(calls[0]?.options).toMatchObject({ max_tokens: 80 });
    await screenshot(page, 'providers-editor-done');
  });
});

describe('an editor model that cannot', () => {
  let editor: Editor;
  let page: Page;
  let log = '';
  beforeAll(async () => {
    const workspace = folderWith({
      'on-editor.loop.yaml': recipe('on-editor', '{ provider: editor, model: sums/sums }'),
      'missing.loop.yaml': recipe('missing', '{ provider: editor, model: sums/other }'),
    });
    log = path.join(path.dirname(workspace), 'sums.log');
    editor = await open({ workspace, environment: { SUMS_LOG: log } });
    page = editor.page;
  });
  afterAll(closeEditors);

  it('pauses the run with the reason, and goes on when it can', async () => {
    failed(editor, 'editor-paused');
    const missing = await openPanel(page, 'missing');
    await press(page, 'missing', 'Run');
    await missing.getByText('This editor offers no model "sums/other"').waitFor();
    await screenshot(page, 'providers-editor-missing');
    writeFileSync(`${log}.refuse`, '');
    const panel = await openPanel(page, 'on-editor');
    await press(page, 'on-editor', 'Run');
    await panel.getByText('its quota may be used up').waitFor();
    rmSync(`${log}.refuse`);
    await press(page, 'on-editor', 'Resume');
    await panel.getByText('Done: 2 rounds').waitFor({ timeout: 60_000 });
  });

  it('is tried by Test Connection', async () => {
    failed(editor, 'editor-tried');
    await runCommand(page, 'Ratchet: Test Connection...');
    await screenshot(page, 'providers-pick');
    await choose(page, 'editor');
    await choose(page, 'sums/sums-1');
    await shell.waitForNotification(page, 'sums/sums-1 answers through this editor');
  });

  it('pauses when its window is gone, and goes on in another one', async () => {
    failed(editor, 'editor-gone');
    writeFileSync(`${log}.hold`, '');
    const panel = await openPanel(page, 'on-editor');
    await panel.getByRole('button', { name: 'Run', exact: true }).click();
    await panel.locator('.progress .place').first().waitFor();
    await page.close();
    rmSync(`${log}.hold`);
    // Longer than a reload may take.
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    page = await editor.openWindow();
    const again = await openPanel(page, 'on-editor');
    await again.getByText('The editor window that answered was closed').waitFor();
    await screenshot(page, 'providers-editor-gone');
    await press(page, 'on-editor', 'Resume');
    await again.getByText('Done: 2 rounds').waitFor({ timeout: 60_000 });
  });
});

describe('a server on this machine', () => {
  let server: FakeServer;
  let editor: Editor;
  let page: Page;
  /** While set, the server keeps its answers back. */
  let gate: Promise<void> | null = null;
  const name = 'on-server';
  const wanted = canary;
  const guarded: Reply = async (response, request) => {
    const { authorization = '' } = request.headers;
    if (authorization !== `Bearer ${wanted}`)
      return json(401, { error: { message: `Incorrect key ${authorization.slice(7)}` } })(response, request);
    if (request.path.endsWith('/models'))
      return json(200, { data: [{ id: 'adder' }, { id: 'other' }] })(response, request);
    if (request.body['model'] !== 'adder')
      return json(404, { error: { message: 'The model does not exist', code: 'model_not_found' } })(
        response,
        request,
      );
    await gate;
    return adding(response, request);
  };

  beforeAll(async () => {
    server = await startOpenAiServer(guarded);
    const workspace = folderWith({
      [`${name}.loop.yaml`]: recipe(name, '{ provider: adders, model: adder }'),
    });
    editor = await open({
      workspace,
      settings: {
        'ratchet.providers': {
          adders: { baseURL: server.baseURL, concurrency: 6, headers: { 'x-team': 'sums' } },
        },
      },
    });
    page = editor.page;
  });
  afterAll(async () => {
    await closeEditors();
    await server.close();
  });

  /** Runs Test Connection up to its answer. */
  async function tryConnection(provider: string, model: string | null): Promise<void> {
    await runCommand(page, 'Ratchet: Test Connection...');
    await choose(page, provider);
    if (model !== null) await choose(page, model);
  }
  async function setKey(key: string): Promise<void> {
    await runCommand(page, 'Ratchet: Set API Key...');
    await choose(page, 'adders');
    await quickInput(page).waitFor();
    await answer(page, key);
    await shell.waitForNotification(page, 'The key of adders is stored for');
  }
  const clear = () => runCommand(page, 'Notifications: Clear All Notifications');

  it('says that it wants a key, takes one, and says so when it is the wrong one', async () => {
    failed(editor, 'key');
    await trees.openContainer(page, 'Ratchet');
    await tryConnection('adders', null);
    await shell.waitForNotification(page, 'wants a key and none is set');
    await screenshot(page, 'providers-no-key');
    await shell.answerNotification(page, 'wants a key', 'Set API Key...');
    await quickInput(page).waitFor();
    expect(await quickInput(page).getAttribute('type')).toBe('password');
    await screenshot(page, 'providers-set-key');
    await answer(page, 'sk-wrong-0123456789');
    await shell.waitForNotification(page, `is stored for http://${server.host}`);
    await clear();
    await tryConnection('adders', null);
    await shell.waitForNotification(page, 'does not accept the key');
    expect((await shell.notificationTexts(page)).join()).not.toContain('sk-wrong');
    await clear();
    await setKey(canary);
    await clear();
    await tryConnection('adders', 'adder');
    await shell.waitForNotification(page, 'with the key');
    await screenshot(page, 'providers-connected');
    await clear();
    await tryConnection('adders', 'other');
    await shell.waitForNotification(page, 'has no model "other"');
    await clear();
    for (const { headers } of server.seen) expect(headers['x-team']).toBe('sums');
  });

  it('runs a loop over a reload of the window, and pays for nothing twice', async () => {
    failed(editor, 'server-run');
    const before = server.seen.length;
    const paid = () => server.seen.slice(before).filter(({ path: at }) => at.endsWith('/chat/completions'));
    await openPanel(page, name);
    await press(page, name, 'Run');
    await eventually(() => paid().length).toBeGreaterThan(40);
    const held = Promise.withResolvers<void>();
    gate = held.promise;
    await reloadWindow(page);
    const panel = await openPanel(page, name);
    await panel.locator('.progress .place').first().waitFor();
    gate = null;
    held.resolve();
    await panel.getByText('Done: 2 rounds').waitFor({ timeout: 60_000 });
    const made = await callsMade(editor, name);
    process.stdout.write(`Local server: ${made} calls made, ${paid().length} paid for.\n`);
    expect(paid().length).toBe(made);
    expect(new Set(paid().map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${canary}`]),
    );
  });

  it('keeps the key out of the database, the logs and every file it writes', async () => {
    const place = path.dirname(editor.workspace);
    const found = spawnSync('grep', ['-rlaF', '--exclude-dir=.profile', canary, place], { encoding: 'utf8' });
    expect(found.stdout).toBe('');
    expect(editor.logs()).not.toContain(canary);
    for (const id of enginesOf(editor.workspace)) {
      expect(readFileSync(`/proc/${String(id)}/cmdline`, 'utf8')).not.toContain(canary);
      expect(readFileSync(`/proc/${String(id)}/environ`, 'utf8')).not.toContain(canary);
    }
  });

  it('asks before the key goes to another address, and keeps it back unless told', async () => {
    failed(editor, 'rebind');
    const other = await startOpenAiServer(guarded);
    try {
      // Some editors in a browser forget their secrets at a reload: it is stored once more, for the first address.
      await setKey(canary);
      await clear();
      await writeUserSettings(editor, { 'ratchet.providers': { adders: { baseURL: other.baseURL } } });
      await eventually(async () => readSetting(page, other.host)).toBe(true);
      await tryConnection('adders', null);
      const dialog = page.locator('.monaco-dialog-box');
      await dialog.getByText('was stored for').waitFor();
      await screenshot(page, 'providers-rebind');
      // Return is the default, which is the safe one.
      await page.keyboard.press('Enter');
      await shell.waitForNotification(page, 'wants a key and none is set');
      expect(JSON.stringify(other.seen)).not.toContain(canary);
      await clear();
      await tryConnection('adders', null);
      await dialog.getByRole('button', { name: `Send It to ${other.host}` }).click();
      await choose(page, 'adder');
      await shell.waitForNotification(page, 'with the key');
      expect(JSON.stringify(other.seen)).toContain(canary);
      await clear();
    } finally {
      await other.close();
    }
  });
});

describe('what asks and tells of providers, in every theme', () => {
  let server: FakeServer;
  let editor: Editor;
  let page: Page;

  beforeAll(async () => {
    server = await startOpenAiServer(json(401, { error: { message: 'no' } }));
    editor = await open({
      workspace: folderWith({ 'a.loop.yaml': recipe('a', '{ provider: adders, model: adder }') }),
      settings: {
        'ratchet.providers': {
          adders: { baseURL: server.baseURL },
          broken: { headers: { 'api-key': 'x' } },
        },
      },
      viewport: { width: 800, height: 700 },
    });
    page = editor.page;
    await trees.openContainer(page, 'Ratchet');
  });
  afterAll(async () => {
    await closeEditors();
    await server.close();
  });

  it.each(['light', 'highContrast', 'highContrastLight', 'dark'] satisfies Theme[])(
    'looks right, %s',
    async (theme) => {
      failed(editor, `themes-${theme}`);
      await useTheme(page, theme);
      await runCommand(page, 'Ratchet: Set API Key...');
      await page
        .locator('.quick-input-widget:visible .label-description', { hasText: 'https://' })
        .first()
        .waitFor();
      await page.waitForTimeout(400);
      await screenshot(page, `providers-pick-${theme}`);
      await choose(page, 'adders');
      await quickInput(page).waitFor();
      await page.keyboard.press('Escape');
      await runCommand(page, 'Ratchet: Test Connection...');
      await choose(page, 'adders');
      await shell.waitForNotification(page, 'wants a key and none is set');
      await page.waitForTimeout(400);
      await screenshot(page, `providers-told-${theme}`);
      await runCommand(page, 'Notifications: Clear All Notifications');
    },
  );

  it('says of settings that hold a key that they must not', async () => {
    failed(editor, 'key-in-settings');
    await runCommand(page, 'Ratchet: Set API Key...');
    await choose(page, 'broken');
    await shell.waitForNotification(page, 'may carry a key, which settings must not hold');
  });
});
