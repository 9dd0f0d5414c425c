// Owns the rows of one list or tree, of which the editor draws only those in sight: reading all of them by scrolling,
// and bringing one into sight. What a row means is in trees.ts.
import type { Locator } from 'playwright-core';

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
};

/** All rows of the tree inside `container`, from top to bottom; empty when it shows none. */
export async function readRows(container: Locator): Promise<readonly TreeItem[]> {
  const found = new Map<number, TreeItem>();
  const all = container.locator('.monaco-list-rows');
  if ((await all.count()) === 0) return [];
  await scrollToTop(container);
  for (let turn = 0; turn < 1000; turn += 1) {
    const { items, height, reached } = await drawn(container);
    for (const item of items) found.set(item.index, item);
    if (reached >= height) return [...found.values()].sort((a, b) => a.index - b.index);
    await scroll(container, 0.8);
  }
  throw new Error('The tree did not scroll to its end.');
}

/** Brings the row at a position into sight. */
export async function bringRow(container: Locator, index: number): Promise<Locator> {
  const row = container.locator(`.monaco-list-rows [role="treeitem"][data-index="${String(index)}"]`);
  if ((await row.count()) > 0) return row;
  await scrollToTop(container);
  for (let turn = 0; turn < 1000; turn += 1) {
    if ((await row.count()) > 0) return row;
    await scroll(container, 0.8);
  }
  throw new Error(`The tree has no row ${String(index)}.`);
}

async function scrollToTop(container: Locator): Promise<void> {
  await scroll(container, -100_000);
}

/**
 * Turns the mouse wheel over a tree by so many of its heights. The event is made in the page, because moving the real
 * mouse costs most of a second for each turn on a busy machine.
 */
async function scroll(container: Locator, heights: number): Promise<void> {
  const list = container.locator('.monaco-list > .monaco-scrollable-element').first();
  await list.evaluate((element, share) => {
    // The editor reads Chromium's older property, and moves by 50 pixels for 120 of it.
    const wheelDeltaY = (-share * element.clientHeight * 120) / 50;
    const init = { bubbles: true, cancelable: true, wheelDeltaY };
    element.dispatchEvent(new WheelEvent('wheel', init));
    return new Promise((resolve) => setTimeout(resolve, 10));
  }, heights);
}

/** The rows drawn now, the height of the whole tree, and how far down what is drawn reaches, both in pixels. */
function drawn(container: Locator) {
  return container
    .locator('.monaco-list-rows')
    .first()
    .evaluate((rows: HTMLElement) => {
      const elements = [...rows.querySelectorAll<HTMLElement>('[role="treeitem"]')];
      const items = elements.map((row) => {
        const text = (selector: string): string => row.querySelector(selector)?.textContent?.trim() ?? '';
        const expanded = row.getAttribute('aria-expanded');
        return {
          // A label that is a file's name is drawn in two parts.
          label: text('.label-name') + text('.label-suffix'),
          description: text('.label-description'),
          level: Number(row.getAttribute('aria-level')),
          expanded: expanded === null ? undefined : expanded === 'true',
          selected: row.getAttribute('aria-selected') === 'true',
          spoken: row.getAttribute('aria-label')?.trim() ?? '',
          index: Number(row.getAttribute('data-index')),
        };
      });
      const ends = elements.map((row) => parseFloat(row.style.top) + parseFloat(row.style.height));
      return { items, height: parseFloat(rows.style.height) || 0, reached: Math.max(0, ...ends) };
    });
}
