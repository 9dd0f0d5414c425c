// Owns reading and using the trees of the side bar. A tree draws only the rows in sight, so reading one scrolls
// through it. An item is named by its label, or by the labels on the way to it from the top: ['run 1', 'round 2'].
import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';
import { bringRow, readRows, type TreeItem } from './rows.ts';

export type TreePath = string | readonly string[];

/** Shows a container of the activity bar by its title. */
export async function openContainer(page: Page, title: string): Promise<void> {
  const icon = page.locator(`.activitybar .action-label[aria-label^=${JSON.stringify(title)}]`).first();
  const heading = page.locator('.sidebar .composite.title h2', { hasText: title });
  if (await heading.isVisible()) return;
  // A click while a window is coming back closes what it is about to show: then another opens it.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    // A badge may lie over it and take the pointer: then the icon is told itself.
    await icon.click({ position: { x: 6, y: 6 }, timeout: 3_000 }).catch(() => icon.dispatchEvent('click'));
    const shown = await heading
      .waitFor({ timeout: 10_000 })
      .then(() => true)
      .catch(() => false);
    if (shown) return;
  }
  throw new Error(`The container "${title}" does not open.`);
}

/** All rows in a view that are not folded away, from top to bottom; a folded view is opened. Empty while the view shows its welcome text instead. */
export async function treeItems(page: Page, view: string): Promise<readonly TreeItem[]> {
  const folded = pane(page, view).locator('.pane-header[aria-expanded="false"]');
  if ((await folded.count()) > 0) await folded.click();
  return readRows(pane(page, view));
}

/** The rows of a view as a person reads them: "label | description", without fixed blanks. */
export async function rowTexts(page: Page, view: string): Promise<readonly string[]> {
  const items = await treeItems(page, view);
  return items.map(({ label, description }) => `${label} | ${description}`.replaceAll('\u00a0', ' '));
}

/** Folds views away, which gives those that stay open more room. */
export async function foldViews(page: Page, ...views: readonly string[]): Promise<void> {
  for (const view of views) {
    const open = pane(page, view).locator('.pane-header[aria-expanded="true"] h3');
    if (await open.isVisible()) await open.click();
  }
}

/** Waits until a view holds an item and returns it; folded parents are unfolded on the way. */
export async function findTreeItem(
  page: Page,
  view: string,
  item: TreePath,
  limitMs = 30_000,
): Promise<TreeItem> {
  const labels = typeof item === 'string' ? [item] : item;
  const end = Date.now() + limitMs;
  for (;;) {
    const items = await treeItems(page, view);
    const way = walk(items, labels);
    const last = way.at(-1);
    if (last !== undefined && way.length === labels.length) return last;
    if (last?.expanded === false) await toggle(page, view, last);
    else await page.waitForTimeout(100);
    if (Date.now() > end) {
      const shown = items.map(({ level, label }) => `${'  '.repeat(level - 1)}${label}`).join('\n');
      throw new Error(`No "${labels.join(' > ')}" in ${view}, which shows:\n${shown}`);
    }
  }
}

/** Unfolds an item; does nothing to one that is unfolded. */
export async function expandTreeItem(page: Page, view: string, item: TreePath): Promise<void> {
  const found = await findTreeItem(page, view, item);
  if (found.expanded === undefined) throw new Error(`"${found.label}" in ${view} has nothing to unfold.`);
  if (!found.expanded) await toggle(page, view, found);
}

/** Clicks an item, which selects it and runs its command. */
export async function clickTreeItem(page: Page, view: string, item: TreePath): Promise<void> {
  const row = await rowOf(page, view, item);
  await row.locator('.label-name').click();
}

/** Clicks an action shown in the row of an item, by its tooltip. */
export async function clickTreeAction(
  page: Page,
  view: string,
  item: TreePath,
  action: string,
): Promise<void> {
  const row = await rowOf(page, view, item);
  await row.hover();
  await row.locator(`.actions .action-label[aria-label=${JSON.stringify(action)}]`).click();
}

/** Opens the context menu of an item and chooses an entry. */
export async function chooseFromTreeMenu(
  page: Page,
  view: string,
  item: TreePath,
  entry: string,
): Promise<void> {
  const row = await rowOf(page, view, item);
  await row.locator('.label-name').click({ button: 'right' });
  const wanted = page.locator('.monaco-menu').getByRole('menuitem', { name: entry, exact: true });
  await wanted.waitFor();
  // A menu takes the first moments after it opens for the end of the click that opened it.
  await page.waitForTimeout(200);
  await wanted.click();
  await wanted.waitFor({ state: 'hidden' });
}

/** Clicks an action in the title of a view, by its tooltip. */
export async function clickViewAction(page: Page, view: string, action: string): Promise<void> {
  const header = pane(page, view).locator('.pane-header');
  await header.hover();
  await header.locator(`.action-label[aria-label=${JSON.stringify(action)}]`).click();
}

/** The part of the side bar that a view fills, with its title and its welcome text. */
export function pane(page: Page, view: string): Locator {
  const title = page.locator('.pane-header h3.title', { hasText: exactly(view) });
  return page.locator('.pane').filter({ has: title });
}

/** The drawn row of an item. A tree that is changing may move it meanwhile; then it is looked for again. */
async function rowOf(page: Page, view: string, item: TreePath): Promise<Locator> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const { index, label } = await findTreeItem(page, view, item);
    const row = await bringRow(pane(page, view), index);
    const drawn = await row.locator('.label-name, .label-suffix').allTextContents();
    if (drawn.join('').trim() === label) return row;
  }
  throw new Error(`"${String(item)}" in ${view} moves about too much to be used.`);
}

async function toggle(page: Page, view: string, item: TreeItem): Promise<void> {
  const row = await bringRow(pane(page, view), item.index);
  const before = String(item.expanded ?? false);
  await row.locator('.monaco-tl-twistie').click();
  await row.and(page.locator(`:not([aria-expanded="${before}"])`)).waitFor();
  if (item.expanded === true) return;
  // The children are asked for only now. An item that turns out to have none is as good as unfolded.
  const child = `[data-index="${String(item.index + 1)}"][aria-level="${String(item.level + 1)}"]`;
  await pane(page, view)
    .locator(child)
    .waitFor({ state: 'attached', timeout: 2000 })
    .catch(() => undefined);
}

/** The items on the way from the top along the labels, as far as they are there. */
function walk(items: readonly TreeItem[], labels: readonly string[]): readonly TreeItem[] {
  const way: TreeItem[] = [];
  let from = 0;
  let above = labels.length === 1 ? undefined : 0;
  for (const label of labels) {
    const end = above === undefined ? items.length : endOfBranch(items, from, above);
    const place = items.findIndex(
      (item, index) =>
        index >= from &&
        index < end &&
        item.label === label &&
        (above === undefined || item.level === above + 1),
    );
    const found = items[place];
    if (found === undefined) break;
    way.push(found);
    from = place + 1;
    above = found.level;
  }
  return way;
}

function endOfBranch(items: readonly TreeItem[], from: number, above: number): number {
  const end = items.findIndex((item, index) => index >= from && item.level <= above);
  return end === -1 ? items.length : end;
}
