// Owns reading what a window shows around the extension's own views: status bar, notifications, tabs and texts.
import type { Page } from 'playwright-core';

/** The texts of the status-bar items in sight, from left to right, as a screen reader says them. */
export function statusBarTexts(page: Page): Promise<readonly string[]> {
  return page
    .locator('.statusbar .statusbar-item:visible')
    .evaluateAll((items) => items.map((item) => item.getAttribute('aria-label') ?? item.textContent ?? ''));
}

/** Waits for a status-bar item whose text contains `part`. */
export async function waitForStatusBar(page: Page, part: string, limitMs = 60_000): Promise<void> {
  await page
    .locator('.statusbar .statusbar-item:visible', { hasText: part })
    .first()
    .waitFor({ timeout: limitMs });
}

/** The messages of the notifications in sight. */
export function notificationTexts(page: Page): Promise<readonly string[]> {
  return page.locator('.notification-toast .notification-list-item-message').allTextContents();
}

/** Waits for a notification whose message contains `part`. */
export async function waitForNotification(page: Page, part: string): Promise<void> {
  await page.locator('.notification-list-item-message', { hasText: part }).first().waitFor();
}

/** Presses a button of the notification whose message contains `part`. */
export async function answerNotification(page: Page, part: string, button: string): Promise<void> {
  const notification = page.locator('.notification-list-item', { hasText: part }).first();
  await notification.getByRole('button', { name: button, exact: true }).click();
}

/** The titles of the open editors of all groups, in their order. */
export function tabTitles(page: Page): Promise<readonly string[]> {
  return page
    .locator('.tabs-container .tab')
    .evaluateAll((tabs) =>
      tabs.map((tab) =>
        [...tab.querySelectorAll('.label-name, .label-suffix')].map((part) => part.textContent).join(''),
      ),
    );
}

/** The lines in sight of the text editor that is open; the right side of a comparison. */
export function editorLines(page: Page): Promise<readonly string[]> {
  return linesIn(
    page,
    '.editor-instance .monaco-editor.modified-in-monaco-diff-editor',
    '.editor-instance .monaco-editor',
  );
}

/** The lines in sight of the left, older side of the comparison that is open. */
export function originalLines(page: Page): Promise<readonly string[]> {
  return linesIn(page, '.editor-instance .monaco-editor.original-in-monaco-diff-editor');
}

async function linesIn(page: Page, ...selectors: readonly string[]): Promise<readonly string[]> {
  for (const selector of selectors) {
    const editor = page.locator(selector).first();
    if (!(await editor.isVisible())) continue;
    const lines = await editor.locator('.view-line').evaluateAll((elements) =>
      elements
        .map((line) => ({ top: parseFloat((line as HTMLElement).style.top), text: line.textContent ?? '' }))
        // Lines are drawn in any order, and blanks as fixed ones.
        .sort((a, b) => a.top - b.top)
        .map(({ text }) => text.replaceAll('\u00a0', ' ')),
    );
    return lines;
  }
  return [];
}
