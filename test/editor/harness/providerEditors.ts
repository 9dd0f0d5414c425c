/** Owns what the tests of providers share: folders, editors with a model of a second extension, a short search. Deliberately asserts nothing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { onTestFailed } from 'vitest';
import { connectEngine } from '../../../src/client/connect.ts';
import { listRuns } from '../../../src/protocol/engine.ts';
import { completion, type Reply } from '../../fakes/openaiServer.ts';
import { openEditor, repository, type Editor, type EditorOptions } from './editor.ts';
import { keepEvidence } from './screenshot.ts';
import * as trees from './trees.ts';
import { webviewFrame } from './webviews.ts';

export const sums = path.join(import.meta.dirname, '..', 'fixtures', 'sums');
export const canary = 'sk-CANARY-of-the-editor-0123456789';

/**
 * A short search for an instruction; what the model needs to hear is that it should take steps. Without `confirm` its rounds
 * end without the gate on fresh tasks.
 */
export const searchLoop = (of: {
  readonly name: string;
  readonly model: string;
  readonly budget: string;
  readonly confirm: boolean;
}) => `ratchet: 1
name: ${of.name}
objective: { ability: addition, metric: exact, answer: { after: ">" } }
model: ${of.model}
instruction: be brief
data:
  train: { generate: addition, digits: [3], count: 16 }
  dev: { generate: addition, digits: [3], count: 40, fixed: true }
  test: { generate: addition, digits: [3], count: 40, fixed: true }
rounds: 2
seed: 1
cache: false
budget: ${of.budget}
steps:
  - revise: { over: instruction, mode: edit, edits: [add], n: 3, phrases: [take steps, be kind] }
  - update: { slot: instruction, op: set }
  - evaluate: { suite: train, temperature: 1, maxTokens: 80 }
    as: screen
  - select: { over: candidates, policy: top, k: 1 }
${of.confirm ? confirmed : ''}  - evaluate: { suite: dev, temperature: 1, maxTokens: 80 }
`;
const confirmed = `  - evaluate: { suite: train, fresh: 60, temperature: 1, maxTokens: 80 }
    as: confirm
  - select: { over: candidates, policy: gate }
    as: gate
`;

export const recipe = (name: string, model: string) =>
  searchLoop({ name, model, budget: '{ calls: 3000, tokens: 3000000 }', confirm: true });

const folders: string[] = [];
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'ratchet-providers-')), 'work');
  folders.push(path.dirname(folder));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

const editors: Editor[] = [];
export async function open(options: Omit<EditorOptions, 'extensions'>): Promise<Editor> {
  const editor = await openEditor({
    ...options,
    extensions: [repository, sums],
    settings: { 'chat.disableAIFeatures': false, ...options.settings },
    viewport: options.viewport ?? { width: 1280, height: 800 },
  });
  editors.push(editor);
  return editor;
}
export const closeEditors = async () => {
  for (const editor of editors.splice(0)) await editor.close();
};
/** To be called when a file's tests are over. */
export const removeFolders = () => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true }));

export const failed = (editor: Editor, name: string) =>
  onTestFailed(() => keepEvidence(editor, `providers-${name}`));

/** Calls of the runs of the workspace, as its engine counts them. */
export async function callsMade(editor: Editor, name: string): Promise<number> {
  const connection = await connectEngine({
    workspaceFolder: editor.workspace,
    engineScript: '',
    nodePath: process.execPath,
    client: 'cli',
    version: 'test',
    start: 'never',
  });
  if (connection === null) throw new Error('There is no engine.');
  const runs = await connection.request(listRuns, {});
  connection.close();
  return runs.filter((run) => run.recipeName === name).reduce((sum, run) => sum + run.calls, 0);
}

/** Adds well only when told to take steps; what it is asked is the last message. */
export const adding: Reply = (response, request) => {
  const text = JSON.stringify(request.body['messages']);
  const found = [...text.matchAll(/(\d+)\+(\d+)/gu)].at(-1);
  const sum = Number(found?.[1]) + Number(found?.[2]);
  return completion(/steps/u.test(text) ? `in steps >${sum}` : `>${sum % 1000}0`)(response, request);
};

export async function openPanel(page: Page, name: string) {
  await trees.openContainer(page, 'Ratchet');
  await trees.clickTreeItem(page, 'Loops & Runs', name);
  // A tree that is drawn anew under the pointer may miss a click; a person clicks again.
  return webviewFrame(page, name, 15_000).catch(async () => {
    await trees.clickTreeItem(page, 'Loops & Runs', name);
    return webviewFrame(page, name);
  });
}
export const press = async (page: Page, name: string, button: string) =>
  (await webviewFrame(page, name)).getByRole('button', { name: button, exact: true }).click();
