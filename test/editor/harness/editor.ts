// Owns one running editor for a test: the server with the extension, the browser, its windows, and the end of it all.
// What is done inside a window is in the files beside this one.
//
//   const editor = await openEditor({ extensions: [repository], workspace: sample, theme: 'dark' });
//   const { page } = editor;                         // the first window
//   await runCommand(page, 'Ratchet: ...');          // commands.ts
//   const panel = await webviewFrame(page, 'star');  // webviews.ts
//   await treeItems(page, 'Experiences');            // trees.ts
//   const other = await editor.openWindow();         // a second window on the same folder
//   await editor.close();                            // always, in afterAll or finally
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { answers } from '../../../scripts/lib/answers.ts';
import { ensureBrowser } from '../../../scripts/lib/browser.ts';
import { editorAddress, ensureEditor, startEditor } from '../../../scripts/lib/editor.ts';
import { freePort } from '../../../scripts/lib/freePort.ts';
import { root } from '../../../scripts/lib/places.ts';
import { stageExtension } from '../../../scripts/lib/stageExtension.ts';
import { collectErrors, tellLeaving } from './consoleErrors.ts';
import { startReaper } from './reaper.ts';
import { readSettings, testSettings, writeSettings, type Settings, type Theme } from './settings.ts';

/** The checkout, which is also the folder of the built extension. */
export const repository = root;

/** The workspace that `npm start` opens a copy of. */
export const sample = path.join(repository, 'media', 'sample');

export type EditorOptions = {
  /** The folder to open; the editor gets a copy of it, under the same name. */
  readonly workspace: string;
  /** Folders of built extensions (package.json with dist and media). */
  readonly extensions: readonly string[];
  readonly theme?: Theme;
  readonly settings?: Settings;
  /** In CSS pixels. */
  readonly viewport?: { readonly width: number; readonly height: number };
  /** False opens the folder as untrusted. */
  readonly trusted?: boolean;
  /** A file of the workspace (*.code-workspace) to open instead of the folder itself. */
  readonly workspaceFile?: string;
  /** Added to the environment of the extensions. */
  readonly environment?: Readonly<Record<string, string>>;
};

export type Editor = {
  /** The first window. */
  readonly page: Page;
  /** The copy of the workspace the editor works on. */
  readonly workspace: string;
  readonly openWindow: () => Promise<Page>;
  /** The user settings on the disk, with what was changed in the editor itself. */
  readonly settings: () => Settings;
  /** Adds to the user settings; windows take that over when they are reloaded. */
  readonly changeSettings: (extra: Settings) => void;
  /** Errors the windows wrote to their consoles, without those every editor writes. */
  readonly consoleErrors: () => readonly string[];
  /** The log of the server and of every extension host, for a failed test. */
  readonly logs: () => string;
  /** Ends every process and removes every file of this editor; may be called twice. */
  readonly close: () => Promise<void>;
};

const browserFlags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
] as const;

/** Starts a server and a browser and opens the first window; on a failure everything is ended before it throws. */
export async function openEditor(options: EditorOptions): Promise<Editor> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ratchet-editor-'));
  const theme = options.theme ?? 'dark';
  const reap = startReaper(folder);
  const closers: (() => Promise<void>)[] = [reap];
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).reverse()) await each();
  };
  try {
    const { url, profile, workspace, log } = await startServer(folder, theme, options);
    const browser = await chromium.launch({ executablePath: await ensureBrowser(), args: [...browserFlags] });
    closers.push(() => browser.close());
    const context = await browser.newContext({ viewport: options.viewport ?? { width: 1440, height: 900 } });
    await context.addInitScript(tellLeaving);
    const errors: string[] = [];
    const openWindow = async (): Promise<Page> => {
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      collectErrors(page, errors);
      await page.goto(url);
      await waitForWorkbench(page);
      return page;
    };
    return {
      page: await openWindow(),
      workspace,
      openWindow,
      settings: () => readSettings(profile),
      changeSettings: (extra) => writeSettings(profile, { ...readSettings(profile), ...extra }),
      consoleErrors: () => errors,
      logs: () => readLogs([log, path.join(profile, 'logs')]),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An editor of the usual size with Ratchet on a copy of the sample. */
export function openSample(): Promise<Editor> {
  return openEditor({
    workspace: sample,
    extensions: [repository],
    viewport: { width: 1280, height: 800 },
  });
}

/** Waits until a window shows its workbench; extensions may still be starting then. */
export async function waitForWorkbench(page: Page): Promise<void> {
  await page.locator('.monaco-workbench .part.editor').waitFor({ timeout: 60_000 });
  await page.locator('.monaco-workbench .part.statusbar .statusbar-item').first().waitFor();
}

async function startServer(folder: string, theme: Theme, options: EditorOptions) {
  const at = (name: string): string => path.join(folder, name);
  const workspace = at(path.basename(options.workspace));
  const [profile, extensions, log, home] = [
    at('.profile'),
    at('.extensions'),
    at('.server.log'),
    at('.home'),
  ];
  cpSync(options.workspace, workspace, { recursive: true });
  mkdirSync(home);
  for (const extension of options.extensions) stageExtension(extension, extensions);
  writeSettings(profile, testSettings(theme, options.settings));
  const port = await freePort();
  // A home of its own keeps the test from a person's files, and marks every process the editor starts.
  const environment = { ...options.environment, HOME: home };
  const trusted = options.trusted ?? true;
  startEditor(await ensureEditor(), { port, profile, extensions, log, trusted, environment });
  const url =
    options.workspaceFile === undefined
      ? editorAddress(port, workspace)
      : editorAddress(port, path.join(workspace, options.workspaceFile), 'workspace');
  if (!(await answers(url, 60_000))) throw new Error(`The editor did not start:\n${readLogs([log])}`);
  return { url, profile, workspace, log };
}

function readLogs(places: readonly string[]): string {
  const files = places.flatMap((place) =>
    place.endsWith('.log')
      ? [place]
      : readdirSync(place, { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.log'))
          .map((name) => path.join(place, name)),
  );
  const shown = files.map((file) => ({ file, text: readFileSync(file, 'utf8').trim() }));
  return shown.map(({ file, text }) => (text === '' ? '' : `--- ${file}\n${text}\n`)).join('');
}
