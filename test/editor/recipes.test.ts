// Owns the proof that every built-in recipe that needs no code run can be made by New Loop and runs to its end in the
// real editor: on a server of this machine whose model sees nothing but the request, or on Pocket.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { hash32 } from '../../src/core/measure/hash.ts';
import type { Message } from '../../src/core/ports.ts';
import { completion, startOpenAiServer, type FakeServer, type Reply } from '../fakes/openaiServer.ts';
import { answerOf } from '../fakes/recipeModel.ts';
import { pocketRecipes, recipeNames, recipeText } from '../loop/recipes/shippedRecipes.ts';
import { answer, choose, quickInput, runCommand } from './harness/commands.ts';
import { openEditor, repository, type Editor } from './harness/editor.ts';
import { keepEvidence, screenshot } from './harness/screenshot.ts';
import * as trees from './harness/trees.ts';
import { webviewFrame } from './harness/webviews.ts';

const waiting = 'test-driven';
const onPocket = (name: string) => pocketRecipes.includes(name);
const onProvider = recipeNames.filter((name) => !onPocket(name) && name !== waiting);
/** The others on Pocket have tests of their own. */
const onlyHere = pocketRecipes.filter((name) => name !== 'hint-free-star' && name !== 'instruction-search');

const replying: Reply = (response, request) => {
  const { messages, temperature, seed } = request.body as {
    messages: Message[];
    temperature?: number;
    seed?: number;
  };
  const from = seed ?? hash32([JSON.stringify(messages), request.number]);
  return completion(answerOf({ messages, temperature: temperature ?? 1, seed: from }))(response, request);
};

describe('New Loop', () => {
  let editor: Editor;
  let page: Page;
  let server: FakeServer;
  let folder = '';
  const failed = (name: string) => onTestFailed(() => keepEvidence(editor, `recipes-${name}`));

  beforeAll(async () => {
    server = await startOpenAiServer(replying);
    folder = path.join(mkdtempSync(path.join(tmpdir(), 'ratchet-recipes-')), 'work');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'notes.md'), '# Notes\n');
    editor = await openEditor({
      workspace: folder,
      extensions: [repository],
      settings: {
        'ratchet.providers': { local: { baseURL: server.baseURL, models: ['tiny'], concurrency: 32 } },
      },
      viewport: { width: 1280, height: 800 },
    });
    page = editor.page;
    await trees.openContainer(page, 'Ratchet');
    await trees.pane(page, 'Loops & Runs').getByRole('button', { name: 'New Loop...' }).first().waitFor();
  });
  afterAll(async () => {
    await editor.close();
    await server.close();
    rmSync(path.dirname(folder), { recursive: true });
  });

  /** Waits for a question at the top of the window: what is typed before it is there goes elsewhere. */
  const asks = (title: string) =>
    page.locator('.quick-input-widget:visible .quick-input-title', { hasText: title }).waitFor();

  async function make(name: string): Promise<FrameLocator> {
    await runCommand(page, 'Ratchet: New Loop...');
    await asks('New loop');
    await quickInput(page).fill(name);
    await choose(page, name);
    if (!onPocket(name)) {
      await asks('Which model');
      await choose(page, 'local/tiny');
    }
    await asks('Name of the new loop');
    await answer(page, name);
    return webviewFrame(page, `${name}: loop`);
  }

  const made = (name: string) => path.join(editor.workspace, `${name}.loop.yaml`);

  /** Runs what the panel shows; to each new objective it asks for it is given a yes. */
  async function runToTheEnd(panel: FrameLocator): Promise<void> {
    const press = (label: string) => panel.getByRole('button', { name: label, exact: true }).click();
    await press('Run');
    const done = panel.getByText(/^Done: \d+ rounds?/);
    const asked = panel.locator('.progress.paused', { hasText: 'Resume to agree' });
    for (;;) {
      await done.or(asked).first().waitFor({ timeout: 120_000 });
      const question = await asked.textContent({ timeout: 100 }).catch(() => null);
      if (question === null) break;
      await press('Resume');
      // The next one differs in its round, and may come before this one is seen to go.
      await expect.poll(() => panel.locator('.progress').textContent()).not.toBe(question);
    }
    await done.waitFor();
  }

  it('offers recipes by objective, with what each takes and needs, and says which waits', async () => {
    failed('offer');
    await runCommand(page, 'Ratchet: New Loop...');
    await asks('New loop');
    const list = page.locator('.quick-input-widget:visible');
    for (const text of ['On Pocket, offline', 'calls in 4 rounds, free · needs nothing'])
      await list.getByText(text, { exact: false }).first().waitFor();
    await screenshot(page, 'recipes-offer');
    await quickInput(page).fill('sandbox');
    await list.getByText('Cannot run yet: it runs code', { exact: false }).first().waitFor();
    await choose(page, waiting);
    await asks('Which model');
    await choose(page, 'local/tiny');
    await asks('Name of the new loop');
    await answer(page, waiting);
    const panel = await webviewFrame(page, `${waiting}: loop`);
    await panel.getByText('waits for the sandbox', { exact: false }).first().waitFor();
    expect(existsSync(path.join(editor.workspace, 'functions.jsonl'))).toBe(true);
  });

  it.each(onProvider)('%s is made, runs to its end and is better', async (name) => {
    failed(name);
    const panel = await make(name);
    expect(readFileSync(made(name), 'utf8')).toContain('\nmodel: "local/tiny"\n');
    const before = server.seen.length;
    await runToTheEnd(panel);
    expect(server.seen.length).toBeGreaterThan(before);
    const score = await panel.locator('.figure.test .value').textContent();
    expect(Number.parseFloat(score ?? '')).toBeGreaterThanOrEqual(60);
  });

  it.each(onlyHere)('%s is made and runs a round on Pocket', async (name) => {
    failed(name);
    const panel = await make(name);
    expect(readFileSync(made(name), 'utf8')).toBe(recipeText(name));
    // What it comes to is measured elsewhere: here it only has to get through.
    const small = recipeText(name)
      .replace(/^rounds: \d+$/m, 'rounds: 1')
      .replaceAll(/count: \d+/g, 'count: 24');
    writeFileSync(made(name), small);
    await expect.poll(() => panel.getByLabel('Rounds').inputValue(), { timeout: 30_000 }).toBe('1');
    await runToTheEnd(panel);
  });

  it('the tree shows what every run came to', async () => {
    failed('tree');
    const tested = async () => {
      const items = await trees.treeItems(page, 'Loops & Runs');
      return items
        .filter((_, index) => /^test [\d.]+\s%$/.test(items[index + 1]?.description ?? ''))
        .map(({ label }) => label)
        .sort();
    };
    await expect.poll(tested, { timeout: 30_000 }).toEqual([...onProvider, ...onlyHere].sort());
  });
});
