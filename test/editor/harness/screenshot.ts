// Owns where pictures and evidence of failed tests go: test/editor/screenshots/, which is not kept in the repository.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import type { Editor } from './editor.ts';

const folder = path.resolve(import.meta.dirname, '..', 'screenshots');

/** Takes a picture of a window and returns its path. */
export async function screenshot(page: Page, name: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.png`);
  await page.screenshot({ path: file });
  return file;
}

/** Keeps a picture of the first window and all logs of an editor; call it from onTestFailed. */
export async function keepEvidence(editor: Editor, name: string): Promise<void> {
  await screenshot(editor.page, `failed-${name}`);
  const told = [...editor.consoleErrors(), editor.logs()].join('\n');
  writeFileSync(path.join(folder, `failed-${name}.log`), told);
}
