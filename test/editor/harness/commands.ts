// Owns telling a window what to do the way a person does: the command palette, quick open, questions at the top of
// the window, keys and a reload.
import type { Locator, Page } from 'playwright-core';
import { waitForWorkbench } from './editor.ts';
import { exactly } from './exactly.ts';
import { themes, type Theme } from './settings.ts';

/**
 * Runs a command by its full title as the palette shows it, such as "View: Close Editor". Throws when the palette does
 * not offer it, naming what it does offer.
 */
export async function runCommand(page: Page, title: string): Promise<void> {
  await openQuickInput(page);
  await quickInput(page).fill(`>${title}`);
  await choose(page, title);
}

/** Opens a file of the workspace by its name or path, in the editor that is the default for it. */
export async function openFile(page: Page, name: string): Promise<void> {
  await openQuickInput(page);
  await quickInput(page).fill(name);
  await choose(page, name.split('/').at(-1) ?? name);
}

/** Chooses an entry of the list now open at the top of the window by its label. */
export async function choose(page: Page, label: string): Promise<void> {
  const options = page.locator('.quick-input-widget:visible [role="option"]');
  const wanted = options.filter({ has: page.locator('.label-name', { hasText: exactly(label) }) }).first();
  try {
    await wanted.click({ timeout: 15_000 });
  } catch (error) {
    const offered = await options.locator('.label-name').allTextContents();
    throw new Error(`No "${label}" in the list; it offers: ${offered.join(' | ')}`, { cause: error });
  }
}

/** Answers the question now open at the top of the window. */
export async function answer(page: Page, text: string): Promise<void> {
  await quickInput(page).fill(text);
  await page.keyboard.press('Enter');
}

/** The text field at the top of the window while a list or a question is open there. */
export function quickInput(page: Page): Locator {
  return page.locator('.quick-input-widget:visible input.input');
}

/** Presses keys one after the other, named as playwright names them: "Control+K", "Tab", "Shift+F10". */
export async function typeKeys(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Changes the theme of an open window, which its webviews must follow without a reload. */
export async function useTheme(page: Page, theme: Theme): Promise<void> {
  await runCommand(page, 'Preferences: Color Theme');
  await quickInput(page).fill(themes[theme].label);
  await choose(page, themes[theme].label);
  await quickInput(page).waitFor({ state: 'hidden' });
}

/** Reloads a window and waits for its workbench. */
export async function reloadWindow(page: Page): Promise<void> {
  await page.reload();
  await waitForWorkbench(page);
}

async function openQuickInput(page: Page): Promise<void> {
  // The first key may come before the workbench listens, or close a list that was open.
  for (let attempt = 0; attempt < 10; attempt += 1) {
    await page.keyboard.press('F1');
    const shown = await quickInput(page)
      .waitFor({ timeout: 1000 })
      .then(() => true)
      .catch(() => false);
    if (shown) return;
  }
  throw new Error('The command palette did not open.');
}
