// Owns the questions a window asks in front of everything else: the editor's own file dialog, and messages that must be
// answered before anything goes on.
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { quickInput } from './commands.ts';

/** Answers the editor's own file dialog, known by the start of its title, with the whole path of a file. */
export async function answerFileDialog(page: Page, title: string, file: string): Promise<void> {
  const heading = page.locator('.quick-input-widget:visible .quick-input-title');
  await expect.poll(() => heading.textContent(), { timeout: 30_000 }).toContain(title);
  // While it lists a folder, its first or the one that was typed, it takes no answer and may undo what was typed.
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if ((await quickInput(page).inputValue()) !== file) await quickInput(page).fill(file);
    await page.waitForTimeout(200);
    if ((await quickInput(page).inputValue()) !== file) continue;
    await page.keyboard.press('Enter');
    const asked = page.locator('.quick-input-widget:visible .quick-input-title', { hasText: title });
    const gone = await asked.waitFor({ state: 'hidden', timeout: 1_500 }).then(
      () => true,
      () => false,
    );
    if (gone) return;
  }
  throw new Error(`The dialog "${title}" did not take ${file}.`);
}

/** Presses a button of the message whose text contains `part`. */
export async function answerMessage(page: Page, part: string, button: string): Promise<void> {
  const dialog = page.locator('.monaco-dialog-box', { hasText: part });
  await dialog.getByRole('button', { name: button, exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
}
