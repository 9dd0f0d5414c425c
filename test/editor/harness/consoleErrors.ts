// Owns which errors a window wrote to its console are worth a test's attention: all but those every browser-hosted
// editor writes without a network, and those of a workbench that is being torn down.
import type { Page } from 'playwright-core';

const noise: readonly RegExp[] = [
  // A closed-source part that the open build does not contain.
  /vsda/,
  // The gallery of extensions is somewhere on the network, and its failure is told a second time without its name.
  /extensionquery|open-vsx|extensions-gallery/,
  /An unknown error occurred\. Please consult the log for more details\./,
  /Timed out waiting for authentication provider/,
  // A context key changes while a tree is read anew: the editor draws rows that are not there yet again (microsoft/vscode#261878
  // mended it for some of them), and reads them anew just after.
  /TreeError \[.*Data tree node not found[\s\S]*rerender[\s\S]*onDidChangeContext/,
];

const leaving = 'harness: leaving';
const arrived = 'harness: arrived';

/** Runs in each document before its own scripts; lets `collectErrors` know when a window is reloaded or closed. */
export const tellLeaving = `if (window === window.top) {
  console.debug('${arrived}');
  for (const event of ['beforeunload', 'pagehide']) {
    window.addEventListener(event, () => console.debug('${leaving}'));
  }
}`;

/** Adds the errors of a window to `errors` as they come. */
export function collectErrors(page: Page, errors: string[]): void {
  let gone = false;
  const add = (text: string): void => {
    if (!gone && !noise.some((each) => each.test(text))) errors.push(text);
  };
  page.on('pageerror', (error) => add(error.stack ?? error.message));
  page.on('console', (message) => {
    const text = message.text();
    if (text === leaving || text === arrived) gone = text === leaving;
    else if (message.type() === 'error') add(`${text} (${message.location().url})`);
  });
}
