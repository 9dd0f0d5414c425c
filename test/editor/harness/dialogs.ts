// Owns the questions a window asks in front of everything else: the editor's own file dialog, and messages that must be
// answered before anything goes on.
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { quickInput } from './commands.ts';

/** Answers the editor's own file dialog, known by the start of its title, with the whole path of a file. */
export async function answerFileDialog(page: Page, title: string, file: string): Promise<void> {
  const heading = page.locator('.quick-input-widget:visible .quick-input-title');
  await expect.poll(() => heading.textContent(), { timeout: 30_000 }).toContain(title);
  // It lists the folder it opens with first, and takes what is typed meanwhile for nothing.
  await page.locator('.quick-input-widget:visible .monaco-list-row').first().waitFor();
  await quickInput(page).fill(file);
  await expect.poll(() => quickInput(page).inputValue(), { timeout: 30_000 }).toBe(file);
  await page.keyboard.press('Enter');
}

/** Presses a button of the message whose text contains `part`. */
export async function answerMessage(page: Page, part: string, button: string): Promise<void> {
  const dialog = page.locator('.monaco-dialog-box', { hasText: part });
  await dialog.getByRole('button', { name: button, exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
}
