// Owns finding the document of a webview, which sits in a frame within a frame whose names change.
import type { FrameLocator, Page } from 'playwright-core';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The document of the visible webview whose title contains `titlePart`. Ask again after a reload or after the webview
 * was hidden, because its frames are new then.
 */
export async function webviewFrame(page: Page, titlePart: string, limitMs = 30_000): Promise<FrameLocator> {
  const end = Date.now() + limitMs;
  let seen: readonly string[] = [];
  while (Date.now() < end) {
    const found = await visibleWebviews(page);
    const match = found.find(({ title }) => title.includes(titlePart));
    if (match !== undefined) return content(page, match.name);
    seen = found.map(({ title }) => title);
    await sleep(100);
  }
  throw new Error(`No webview titled like "${titlePart}"; there are: ${seen.join(' | ') || 'none'}`);
}

/** The titles of the webviews that can be seen. */
export async function webviewTitles(page: Page): Promise<readonly string[]> {
  return (await visibleWebviews(page)).map(({ title }) => title);
}

async function visibleWebviews(page: Page) {
  const names = await page
    .locator('iframe.webview.ready:visible')
    .evaluateAll((frames) => frames.map((frame) => frame.getAttribute('name') ?? ''));
  const found = names.map(async (name) => {
    const inner = outer(page, name).locator('iframe#active-frame');
    // A frame that is being replaced has no title now and is asked again by the caller.
    const title = await inner.getAttribute('title', { timeout: 500 }).catch(() => null);
    return { name, title };
  });
  return (await Promise.all(found)).flatMap(({ name, title }) => (title === null ? [] : [{ name, title }]));
}

function content(page: Page, name: string): FrameLocator {
  return outer(page, name).frameLocator('iframe#active-frame');
}

function outer(page: Page, name: string): FrameLocator {
  return page.frameLocator(`iframe.webview[name=${JSON.stringify(name)}]`);
}
