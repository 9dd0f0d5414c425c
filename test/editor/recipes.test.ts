// Owns the proof that every built-in recipe that needs no code run can be made by New Loop and runs to its end in the
// real editor: on a server of this machine whose model sees nothing but the request, or on Pocket.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { hash32 } from '../../src/core/measure/hash.ts';
import type { Message } from '../../src/core/ports.ts';
import { completion, startOpenAiServer, type FakeServer, type Reply } from '../fakes/openaiServer.ts';
import { answerOf } from '../fakes/recipeModel.ts';
import { recipeNames, recipeText } from '../loop/recipes/shippedRecipes.ts';
import { answer, choose, quickInput, runCommand } from './harness/commands.ts';
import { openEditor, repository, type Editor } from './harness/editor.ts';
import { keepEvidence, screenshot } from './harness/screenshot.ts';
import * as trees from './harness/trees.ts';
import { webviewFrame } from './harness/webviews.ts';

const waiting = 'test-driven';
const onPocket = (name: string) => recipeText(name).includes('\nmodel: pocket');
const onProvider = recipeNames.filter((name) => !onPocket(name) && name !== waiting);
/** The others on Pocket have tests of their own. */
const ownPocket = ['vote-and-train', 'contrast-pairs-pocket', 'frontier-pocket'];

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

  async function make(name: string): Promise<void> {
    await runCommand(page, 'Ratchet: New Loop...');
    await quickInput(page).fill(name);
    await choose(page, name);
    if (!onPocket(name)) await choose(page, 'local/tiny');
    await page.getByText('Name of the new loop').first().waitFor();
    await answer(page, name);
    const file = path.join(editor.workspace, `${name}.loop.yaml`);
    await expect
      .poll(() => (existsSync(file) ? readFileSync(file, 'utf8') : ''), { timeout: 20_000 })
      .toContain('steps:');
  }

  async function runToTheEnd(name: string): Promise<void> {
    const panel = await webviewFrame(page, name);
    const press = async (label: string) => panel.getByRole('button', { name: label, exact: true }).click();
    await press('Run');
    const done = panel.getByText(/Done: \d+ rounds?/);
    const asked = panel.getByText('Resume to agree', { exact: false });
    for (;;) {
      await done.or(asked).first().waitFor({ timeout: 120_000 });
      if (await done.first().isVisible()) break;
      await press('Resume');
      await asked.first().waitFor({ state: 'hidden' });
    }
    await runCommand(page, 'View: Close All Editors');
  }

  it('offers recipes by objective, with what each costs and needs, and says which waits', async () => {
    failed('offer');
    await runCommand(page, 'Ratchet: New Loop...');
    const list = page.locator('.quick-input-widget:visible');
    await quickInput(page).waitFor();
    await screenshot(page, 'recipes-offer');
    for (const text of ['On Pocket, offline', 'Costs 192 × 8 calls a round'])
      await list.getByText(text, { exact: false }).first().waitFor();
    await quickInput(page).fill('sandbox');
    await choose(page, waiting);
    await choose(page, 'local/tiny');
    await page.getByText('Name of the new loop').first().waitFor();
    await answer(page, waiting);
    const panel = await webviewFrame(page, waiting);
    await panel.getByText('waits for the sandbox', { exact: false }).first().waitFor();
    await runCommand(page, 'View: Close All Editors');
    expect(existsSync(path.join(editor.workspace, 'functions.jsonl'))).toBe(true);
  });

  it.each(onProvider)('%s is made, runs to its end and is better', async (name) => {
    failed(name);
    await make(name);
    const made = readFileSync(path.join(editor.workspace, `${name}.loop.yaml`), 'utf8');
    expect(made).toContain('\nmodel: "local/tiny"\n');
    const before = server.seen.length;
    await runToTheEnd(name);
    expect(server.seen.length).toBeGreaterThan(before);
    const { description } = await trees.findTreeItem(page, 'Loops & Runs', [name, 'Run 1']);
    expect(Number(/([\d.]+)\s*%/.exec(description)?.[1])).toBeGreaterThanOrEqual(60);
  });

  it.each(ownPocket)('%s is made and runs a round on Pocket', async (name) => {
    failed(name);
    await make(name);
    await runCommand(page, 'View: Close All Editors');
    const file = path.join(editor.workspace, `${name}.loop.yaml`);
    expect(readFileSync(file, 'utf8')).toBe(recipeText(name));
    // What it comes to is measured elsewhere: here it only has to get through.
    const small = recipeText(name)
      .replace(/^rounds: \d+$/m, 'rounds: 1')
      .replaceAll(/count: \d+/g, 'count: 48');
    writeFileSync(file, small);
    await trees.clickTreeItem(page, 'Loops & Runs', name);
    await runToTheEnd(name);
  });
});
