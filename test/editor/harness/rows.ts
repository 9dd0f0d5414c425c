// Owns the rows of one list or tree, of which the editor draws only those in sight: reading all of them by scrolling,
// and bringing one into sight. What a row means is in trees.ts.
import type { Locator, Page } from 'playwright-core';

export type TreeItem = {
  readonly label: string;
  readonly description: string;
  /** 1 for the top. */
  readonly level: number;
  /** Undefined for an item without children. */
  readonly expanded: boolean | undefined;
  readonly selected: boolean;
  /** What a screen reader says. */
  readonly spoken: string;
  /** The position among the rows of the whole tree, from 0. */
  readonly index: number;
  /** True for the last row of the whole tree. */
  readonly last: boolean;
};

/** All rows of the tree inside `container`, from top to bottom. */
export async function readRows(page: Page, container: Locator): Promise<readonly TreeItem[]> {
  const found = new Map<number, TreeItem>();
  // Most trees are in sight as a whole and need no scrolling.
  const atOnce = await drawnRows(container);
  if (atOnce.length === 0 || isWhole(atOnce)) return atOnce;
  await scroll(page, container, 'up', (drawn) => drawn.some(({ index }) => index === 0));
  await scroll(page, container, 'down', (drawn) => {
    for (const item of drawn) found.set(item.index, item);
    return drawn.some(({ last }) => last);
  });
  return [...found.values()].sort((a, b) => a.index - b.index);
}

/** Brings the row at a position into sight. */
export async function bringRow(page: Page, container: Locator, index: number): Promise<Locator> {
  const row = container.locator(`.monaco-list-rows [role="treeitem"][data-index="${String(index)}"]`);
  const drawn = await drawnRows(container);
  const direction = drawn.some((item) => item.index > index) ? 'up' : 'down';
  await scroll(page, container, direction, (rows) => rows.some((item) => item.index === index));
  return row;
}

function isWhole(items: readonly TreeItem[]): boolean {
  return items.some(({ index }) => index === 0) && items.some(({ last }) => last);
}

/** Turns the mouse wheel over a tree until what is drawn satisfies `done`. */
async function scroll(
  page: Page,
  container: Locator,
  direction: 'up' | 'down',
  done: (drawn: readonly TreeItem[]) => boolean,
): Promise<void> {
  const list = container.locator('.monaco-list').first();
  for (let turn = 0; turn < 500; turn += 1) {
    if (done(await drawnRows(container))) return;
    const box = await list.boundingBox();
    if (box === null) throw new Error('The tree is not in sight.');
    // Not hover(): it waits for the page to come to rest, which takes half a second each time on a busy machine.
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    // The editor scrolls by less than half of what the wheel says.
    await page.mouse.wheel(0, box.height * (direction === 'up' ? -1.4 : 1.4));
    await page.waitForTimeout(20);
  }
  throw new Error(`The tree did not scroll ${direction} as far as it should.`);
}

async function drawnRows(container: Locator): Promise<readonly TreeItem[]> {
  const rows = await container.locator('.monaco-list-rows [role="treeitem"]').evaluateAll((elements) =>
    elements.map((row) => {
      const text = (selector: string): string => row.querySelector(selector)?.textContent?.trim() ?? '';
      // The editor's own mark for the last row grows stale when rows are added beneath it.
      const size = (element: Element | null, side: 'top' | 'height'): number =>
        element instanceof HTMLElement ? parseFloat(element.style[side]) : 0;
      const end = size(row, 'top') + size(row, 'height');
      const expanded = row.getAttribute('aria-expanded');
      return {
        label: text('.label-name'),
        description: text('.label-description'),
        level: Number(row.getAttribute('aria-level')),
        expanded: expanded === null ? undefined : expanded === 'true',
        selected: row.getAttribute('aria-selected') === 'true',
        spoken: row.getAttribute('aria-label')?.trim() ?? '',
        index: Number(row.getAttribute('data-index')),
        last: end >= size(row.parentElement, 'height'),
      };
    }),
  );
  return rows.sort((a, b) => a.index - b.index);
}
