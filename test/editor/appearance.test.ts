// Owns how the panel and the trees look and whether everybody can use them: four themes, three widths, axe, keys only,
// a workspace nobody trusts and one with nothing in it. Pictures go to screenshots/ for a person to look at; with
// RATCHET_README_PICTURE=1 the one of the README is taken too.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { answer, choose, quickInput, runCommand, typeKeys, useTheme } from './harness/commands.ts';
import { openEditor, openSample, repository, sample, type Editor } from './harness/editor.ts';
import { keepEvidence, screenshot } from './harness/screenshot.ts';
import { themes, type Theme } from './harness/settings.ts';
import * as trees from './harness/trees.ts';
import { webviewFrame } from './harness/webviews.ts';

const loop = 'hint-free-star';
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** What axe finds wrong in the panel, as text; the frame's own page is VS Code's. */
async function violations(page: Page, title: string): Promise<readonly string[]> {
  const panel = await webviewFrame(page, title);
  const body = await panel.locator('body').elementHandle();
  const frame = await body?.ownerFrame();
  if (frame === null || frame === undefined) throw new Error('The panel has no frame.');
  await frame.evaluate(axeSource);
  const found = await frame.evaluate<readonly Violation[]>(
    `axe.run(document.querySelector('#app'), { resultTypes: ['violations'] }).then((result) => result.violations)`,
  );
  return found.map(({ id, impact, nodes }) =>
    [`${impact}: ${id}`, ...nodes.map((node) => `  ${node.html}\n  ${node.failureSummary}`)].join('\n'),
  );
}

const folders: string[] = [];
function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'ratchet-appearance-'));
  folders.push(made);
  return made;
}
afterAll(() => folders.forEach((made) => rmSync(made, { recursive: true })));

describe('the panel and the trees in every theme', () => {
  let editor: Editor;
  let page: Page;
  const failed = (name: string) => onTestFailed(() => keepEvidence(editor, name));

  beforeAll(async () => {
    editor = await openSample();
    page = editor.page;
    await trees.openContainer(page, 'Ratchet');
    await trees.clickTreeItem(page, 'Loops & Runs', loop);
    const panel = await webviewFrame(page, loop);
    await screenshot(page, 'panel-before');
    await panel.getByRole('button', { name: 'Run', exact: true }).click();
    await panel.locator('.progress .place', { hasText: 'Round 2 of 5' }).waitFor({ timeout: 60_000 });
    await screenshot(page, 'panel-running');
    await panel.getByText('Done: 5 rounds').waitFor({ timeout: 90_000 });
    await trees.expandTreeItem(page, 'Loops & Runs', [loop, 'Run 1']);
  });
  afterAll(() => editor.close());

  for (const theme of Object.keys(themes) as Theme[]) {
    it(`has nothing axe objects to, ${theme}`, async () => {
      failed(`axe-${theme}`);
      await useTheme(page, theme);
      await trees.clickTreeItem(page, 'Loops & Runs', loop);
      const panel = await webviewFrame(page, loop);
      await panel.getByText('Done: 5 rounds').waitFor();
      await page.setViewportSize({ width: 1280, height: 800 });
      await screenshot(page, `panel-${theme}-1280`);
      await page.setViewportSize({ width: 1280, height: 1700 });
      await screenshot(page, `panel-${theme}-whole`);
      expect(await violations(page, loop)).toEqual([]);
      await page.setViewportSize({ width: 800, height: 1000 });
      await screenshot(page, `panel-${theme}-800`);
      expect(await violations(page, loop)).toEqual([]);
      await page.setViewportSize({ width: 1280, height: 800 });
    });
  }

  it('never needs sideways scrolling, down to a third of a window', async () => {
    failed('narrow');
    await runCommand(page, 'View: Toggle Primary Side Bar Visibility');
    for (const width of [1280, 800, 420]) {
      await page.setViewportSize({ width, height: 900 });
      const panel = await webviewFrame(page, loop);
      const overflow = () => panel.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
      await expect.poll(overflow, { message: `at ${String(width)} pixels` }).toBeLessThanOrEqual(0);
    }
    await screenshot(page, 'panel-narrow');
    await page.setViewportSize({ width: 1280, height: 800 });
    await runCommand(page, 'View: Toggle Primary Side Bar Visibility');
  });

  it('can be walked by keys alone, in the order it is read, with the place in sight', async () => {
    failed('keys');
    await useTheme(page, 'dark');
    const panel = await webviewFrame(page, loop);
    await panel.getByRole('heading', { name: loop }).click();
    await panel.getByRole('button', { name: 'Run', exact: true }).focus();
    const walked: string[] = [];
    for (let step = 0; step < 60; step += 1) {
      // One look, so that the focus cannot move on between finding it and reading it.
      const at = await panel.locator('html').evaluate((root) => {
        const element = root.querySelector(':focus');
        if (element === null) return null;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        const name =
          element.getAttribute('aria-label') ?? (element as HTMLInputElement).labels?.[0]?.textContent;
        const shown = outlineStyle !== 'none' && outlineWidth !== '0px';
        return { name: (name ?? element.textContent ?? '').trim(), shown };
      });
      // After the last of the panel the focus goes on to the editor around it.
      if (at === null) break;
      walked.push(at.name);
      // The first focus was set by the test, not by a key.
      if (step > 0) expect(at.shown, at.name).toBe(true);
      await page.keyboard.press('Tab');
    }
    const order = ['Run', 'As a table', 'Loop', 'Replies of', 'Rounds', 'Samples', 'Temperature', 'Seed'];
    expect(walked.filter((name) => order.includes(name))).toEqual(order);
  });

  it.runIf(process.env.RATCHET_README_PICTURE === '1')('is worth a picture', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await useTheme(page, 'dark');
    await trees.clickTreeItem(page, 'Loops & Runs', loop);
    const panel = await webviewFrame(page, loop);
    await panel.locator('html').evaluate((root) => root.scrollTo(0, 0));
    await page.mouse.move(640, 790);
    await page.waitForTimeout(1_000);
    mkdirSync(path.join(repository, 'media', 'readme'), { recursive: true });
    await page.screenshot({ path: path.join(repository, 'media', 'readme', 'panel.png') });
  });
});

describe('a workspace with nothing in it', () => {
  let editor: Editor;
  beforeAll(async () => {
    editor = await openEditor({ workspace: folder(), extensions: [repository] });
  });
  afterAll(() => editor.close());

  it('offers a new loop, and makes it', async () => {
    onTestFailed(() => keepEvidence(editor, 'empty'));
    const { page } = editor;
    await trees.openContainer(page, 'Ratchet');
    const offer = trees.pane(page, 'Loops & Runs').locator('.monaco-text-button', { hasText: 'New Loop...' });
    await offer.waitFor();
    await screenshot(page, 'empty');
    await offer.click();
    await choose(page, 'instruction-search');
    await quickInput(page).waitFor();
    await answer(page, 'mine');
    const panel = await webviewFrame(page, 'mine');
    await panel.getByRole('heading', { name: 'mine' }).waitFor();
    const made = readFileSync(path.join(editor.workspace, 'mine.loop.yaml'), 'utf8');
    const shipped = readFileSync(path.join(repository, 'media/recipes/instruction-search.loop.yaml'), 'utf8');
    expect(made).toBe(shipped.replace('\nname: instruction-search\n', '\nname: "mine"\n'));
    await trees.findTreeItem(page, 'Loops & Runs', 'mine');
  });

  it('says what is wrong in a loop file, with its line, and does not run it', async () => {
    onTestFailed(() => keepEvidence(editor, 'problems'));
    const { page } = editor;
    const panel = await webviewFrame(page, 'mine');
    await runCommand(page, 'Ratchet: Open Loop as Text');
    await page.locator('.editor-instance .monaco-editor .view-line', { hasText: 'rounds: 10' }).click();
    await typeKeys(page, 'Home');
    await page.keyboard.type('oops: 1\n');
    await runCommand(page, 'Ratchet: Open Loop Panel');
    const again = await webviewFrame(page, 'mine');
    await again.getByText('One problem in the loop file').waitFor();
    expect(await again.getByRole('button', { name: 'Run', exact: true }).isDisabled()).toBe(true);
    await screenshot(page, 'problems');
    const line = again.getByRole('button', { name: /^Line \d+$/ });
    const number = ((await line.textContent()) ?? '').replace(/\D/g, '');
    await line.click();
    await page.getByRole('button', { name: new RegExp(`Ln ${number}, Col 1`) }).waitFor();
    expect(panel).toBeDefined();
  });
});

describe('a panel whose script does not come up', () => {
  let editor: Editor;
  beforeAll(async () => {
    editor = await openEditor({ workspace: sample, extensions: [repository] });
  });
  afterAll(() => editor.close());

  it('says so after five seconds, and comes up with Retry', async () => {
    onTestFailed(() => keepEvidence(editor, 'boot'));
    const { page } = editor;
    const script = path.join(path.dirname(editor.workspace), '.extensions/ratchet.ratchet/dist/webview.js');
    renameSync(script, `${script}.away`);
    await trees.openContainer(page, 'Ratchet');
    await trees.clickTreeItem(page, 'Loops & Runs', loop);
    const panel = await webviewFrame(page, loop);
    const said = panel.getByText('The panel has not come up for five seconds.');
    await said.waitFor({ timeout: 15_000 });
    await screenshot(page, 'boot');
    renameSync(`${script}.away`, script);
    await panel.getByRole('link', { name: 'Retry' }).click();
    const again = await webviewFrame(page, loop);
    await again.getByRole('button', { name: 'Run', exact: true }).waitFor();
    expect(await again.getByText('has not come up').count()).toBe(0);
  });
});

describe('a workspace that is not trusted', () => {
  let editor: Editor;
  beforeAll(async () => {
    const untrusted = folder();
    cpSync(sample, untrusted, { recursive: true });
    editor = await openEditor({
      workspace: untrusted,
      extensions: [repository],
      trusted: false,
      settings: { 'security.workspace.trust.startupPrompt': 'never' },
    });
  });
  afterAll(() => editor.close());

  it('can be looked at; nothing runs', async () => {
    onTestFailed(() => keepEvidence(editor, 'untrusted'));
    const { page } = editor;
    await trees.openContainer(page, 'Ratchet');
    await trees.clickTreeItem(page, 'Loops & Runs', loop);
    const panel = await webviewFrame(page, loop);
    await panel.getByText('Runs need a workspace you trust').waitFor();
    expect(await panel.getByRole('button', { name: 'Run', exact: true }).isDisabled()).toBe(true);
    await screenshot(page, 'untrusted');
  });
});
