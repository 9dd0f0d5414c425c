// Owns the proof that a workspace of 100,000 experiences is browsed, searched and filtered in the real editor without a
// stutter, while a second window follows a run live. Beside each figure stands the same of an idle window in this run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { answer, choose, openFile, quickInput, runCommand, typeKeys, useTheme } from './harness/commands.ts';
import { openEditor, repository, sample, type Editor } from './harness/editor.ts';
import { eventually } from './harness/eventually.ts';
import { keepEvidence, screenshot } from './harness/screenshot.ts';
import * as shell from './harness/shell.ts';
import { findProbe, measureStutter, sayStutter, type Stutter } from './harness/stutter.ts';
import * as trees from './harness/trees.ts';
import { webviewFrame } from './harness/webviews.ts';
import { scaleWorkspace } from './scaleWorkspace.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');
const [loops, view, evaluations, candidates] = [
  ...['Loops & Runs', 'Experiences', 'Evaluations', 'Prompts & Candidates'],
] as [string, string, string, string];
const biggest = 'hint-free-star, Run 2';

const rows = (page: Page) => trees.rowTexts(page, view);
const description = async (page: Page) =>
  (await trees.pane(page, view).locator('.pane-header .description').textContent()) ?? '';
const listed = (page: Page) => page.locator('.quick-input-widget:visible [role="option"]');
const title = async (page: Page) =>
  ((await page.locator('.quick-input-widget:visible .quick-input-title').textContent()) ?? '').replaceAll(
    '\u00a0',
    ' ',
  );

/** Chooses what to filter by and answers it; each question has a title of its own, the list of them has another. */
async function filterBy(page: Page, part: string, answering: () => Promise<void>): Promise<void> {
  await choose(page, part);
  const asking = `Filter Experiences: ${part}`;
  await eventually(() => title(page)).toBe(asking);
  await answering();
  await eventually(() => title(page)).not.toBe(asking);
}

/** A file like an experience's document, opened as the editor opens any. */
const plainText = (index: number): string =>
  `# \`plain ${index}\`\n\n## Task\n\n\`\`\`text\n${index} + 1\n\`\`\`\n\n## Reply\n\n\`\`\`text\n${`check the tens before adding ${index} `.repeat(50)}\n\`\`\`\n\n## Feedback\n\n- score 1\n`;
const plainFiles = ['plain-1.md', 'plain-2.md', 'plain-3.md', 'plain-4.md', 'plain-5.md'];

describe('a workspace of 100,000 experiences in the editor', () => {
  let editor: Editor;
  let page: Page;
  let probe: string;
  /** The editor with nothing of the extension's in it, on this machine as busy as it is now. */
  let alone: Stutter;
  const probes = mkdtempSync(path.join(tmpdir(), 'ratchet-probe-'));
  const measured: [string, Stutter][] = [];
  const failed = (name: string) => onTestFailed(() => keepEvidence(editor, `scale-${name}`));
  const measure = async (name: string, work: () => Promise<void>) => {
    const stutter = await measureStutter(page, probe, work);
    measured.push([name, stutter]);
    process.stdout.write(`${sayStutter(name, stutter)}\n`);
    return stutter;
  };

  beforeAll(async () => {
    editor = await openEditor({
      workspace: await scaleWorkspace(sample),
      extensions: [repository, path.join(fixtures, 'probe')],
      viewport: { width: 1280, height: 800 },
      environment: { PROBE_FOLDER: probes },
    });
    page = editor.page;
    for (const [index, name] of plainFiles.entries())
      writeFileSync(path.join(editor.workspace, name), plainText(index));
    probe = await findProbe(probes, []);
    await trees.openContainer(page, 'Ratchet');
    await trees.foldViews(page, loops, evaluations, candidates);
  });
  afterAll(async () => {
    await editor.close();
    rmSync(probes, { recursive: true, force: true });
  });

  it('shows its runs, and stands still while nobody does anything', async () => {
    failed('runs');
    await eventually(() => rows(page)).toHaveLength(4);
    expect((await rows(page))[0]).toContain(biggest);
    await measure('idle', () => page.waitForTimeout(4_000));
    // Files of the size of an experience, the first of which brings the editor's own code for such files.
    alone = await measure('the editor alone', async () => {
      for (const [index, name] of plainFiles.entries()) {
        await openFile(page, name);
        await eventually(() => shell.editorLines(page)).toContain(`# \`plain ${index}\``);
      }
      await runCommand(page, 'View: Close All Editors');
    });
  });

  it('is browsed to its depth', async () => {
    failed('browse');
    const kept = [biggest, 'Round 3', 'Kept'];
    await measure('browse', async () => {
      await trees.expandTreeItem(page, view, kept);
      for (let pages = 1; pages <= 3; pages += 1) {
        await eventually(async () => (await rows(page)).filter((row) => row.includes('\u2192')).length).toBe(
          100 * pages,
        );
        await trees.clickTreeItem(page, view, [...kept, 'Load 100 More...']);
      }
      await eventually(async () => (await rows(page)).filter((row) => row.includes('\u2192')).length).toBe(
        400,
      );
    });
    const shown = await rows(page);
    expect(shown).toContain('Round 3 | kept 5 000 of 7 500');
    expect(shown.find((row) => row.startsWith('Kept'))).toBe('Kept | 5 000');
  });

  it('opens experiences one after the other', async () => {
    failed('open');
    const kept = [biggest, 'Round 3', 'Kept'];
    const labels = (await trees.treeItems(page, view)).filter(({ level }) => level === 4).slice(40, 45);
    expect(labels).toHaveLength(5);
    await measure('open', async () => {
      for (const { label } of labels) {
        await trees.clickTreeItem(page, view, [...kept, label]);
        const task = label.split(' \u2192 ')[0] ?? '';
        await eventually(() => shell.editorLines(page)).toContain(`# \`${task}\``);
      }
    });
    await screenshot(page, 'scale-browse-dark-1280');
  });

  it('finds experiences as one types, a page at a time, by keys alone', async () => {
    failed('search');
    await runCommand(page, 'Ratchet: Search Experiences...');
    await eventually(() => title(page)).toBe('Search Experiences: More than 100 found');
    await measure('search', async () => {
      await page.keyboard.type('zeppelin', { delay: 60 });
      await eventually(() => title(page)).toBe('Search Experiences: 10 experiences found');
    });
    await screenshot(page, 'scale-search-dark-1280');
    await typeKeys(page, 'ArrowDown', 'ArrowDown', 'Enter');
    await quickInput(page).waitFor({ state: 'hidden' });
    await eventually(async () => (await shell.editorLines(page)).join('\n')).toContain('zeppelin');
    await runCommand(page, 'Ratchet: Search Experiences...');
    await measure('search by conditions', async () => {
      await quickInput(page).fill('');
      await page.keyboard.type('score:<0.5 round:2-3 verdict:dropped carry', { delay: 30 });
      await eventually(() => title(page)).toBe('Search Experiences: More than 100 found');
      // What the last words find takes the place of what was found before them, of which no more is brought.
      await eventually(async () => {
        await typeKeys(page, 'Control+End');
        const focused = page.locator('.quick-input-widget:visible .monaco-list-row.focused');
        if ((await focused.textContent())?.includes('Load 100 More...') === true)
          await typeKeys(page, 'Enter');
        return title(page);
      }).toMatch(/More than [2-9]00 found/);
    });
    await quickInput(page).fill('round:x zeppelin');
    await eventually(() => listed(page).first().textContent()).toContain('"round:x" is not understood');
    await quickInput(page).fill('no such words anywhere');
    await eventually(() => title(page)).toBe('Search Experiences: No experience found');
    await typeKeys(page, 'Escape');
  });

  it('filters the tree by conditions, and clears them', async () => {
    failed('filter');
    await measure('filter', async () => {
      await runCommand(page, 'Ratchet: Filter Experiences...');
      await filterBy(page, 'Verdict', () => choose(page, 'Dropped'));
      await filterBy(page, 'Round', () => answer(page, '2-3'));
      await filterBy(page, 'Score', () => answer(page, '<50 %'));
      await filterBy(page, 'Text', () => answer(page, 'carry'));
      await typeKeys(page, 'Escape');
      await eventually(() => rows(page)).toContain('More than 100 fit the filter | ');
    });
    await eventually(() => description(page)).toBe(
      'Filtered: dropped \u00b7 rounds 2 to 3 \u00b7 score < 0.5 \u00b7 carry',
    );
    const found = (await rows(page)).filter((row) => row.includes('\u2192'));
    expect(
      found.every((row) => /wrong \u00b7 (control, )?round [23] \u00b7 below the threshold/.test(row)),
    ).toBe(true);
    await trees.clickTreeItem(page, view, [biggest, 'Load 100 More...']);
    await eventually(() => rows(page)).toContain('More than 200 fit the filter | ');
    await screenshot(page, 'scale-filter-dark-1280');
    await trees.clickViewAction(page, view, 'Clear Experience Filter');
    await eventually(() => rows(page)).toContain('Round 3 | kept 5 000 of 7 500');
    await eventually(() => description(page)).toBe('');
  });

  it('stays as smooth while a run goes on, which a second window follows live', async () => {
    failed('live');
    const other = await editor.openWindow();
    await trees.openContainer(other, 'Ratchet');
    await trees.clickTreeItem(other, loops, 'own-tasks');
    const theirs = await webviewFrame(other, 'own-tasks');
    await page.bringToFront();
    await runCommand(page, 'Ratchet: Search Experiences...');
    await typeKeys(page, 'Escape');
    await trees.clickTreeItem(page, loops, 'own-tasks');
    const panel = await webviewFrame(page, 'own-tasks');
    // It may be over before the browsing is.
    const followed = theirs
      .getByText(/Round [1-5] of 5/)
      .first()
      .waitFor({ timeout: 90_000 })
      .then(() => 'followed');
    followed.catch(() => undefined);
    await panel.getByRole('button', { name: 'Run', exact: true }).click();
    await measure('browse while it runs', async () => {
      await eventually(
        async () => (await rows(page)).filter((row) => /^own-tasks, Run 2/.test(row)).length,
      ).toBe(1);
      await trees.expandTreeItem(page, view, ['hint-free-star, Run 1', 'Round 7', 'Dropped']);
      await runCommand(page, 'Ratchet: Search Experiences...');
      await quickInput(page).fill('zeppelin');
      await eventually(() => title(page)).toBe('Search Experiences: 10 experiences found');
      await typeKeys(page, 'Escape');
    });
    expect(await followed).toBe('followed');
    await expect
      .poll(() => theirs.locator('body').textContent(), { timeout: 120_000, interval: 500 })
      .toContain('Done: 5 rounds');
    await panel.getByText('Done: 5 rounds').waitFor();
    const score = (of: typeof panel) => of.locator('.figure.first .value').textContent();
    expect(await score(theirs)).toBe(await score(panel));
    await other.bringToFront();
    await trees.foldViews(other, evaluations, candidates);
    await trees.expandTreeItem(other, view, ['own-tasks, Run 2', 'Round 1']);
    expect(await rows(other)).toContainEqual(expect.stringMatching(/^Round 1 \| kept \d+ of \d+/));
    await other.close();
    await page.bringToFront();
  });

  it('holds up neither the window nor its extension host', () => {
    const active = measured.filter(([name]) => name !== 'idle' && name !== 'the editor alone');
    expect(active).toHaveLength(6);
    const seen = active.filter(([, { host }]) => host.own.length > 0).map(([name]) => name);
    expect(seen, 'the probe saw nothing of the extension').toContain('browse');
    const bound = Math.max(100, 1.5 * (alone.frames.computed[0] ?? 0));
    for (const [name, { host, frames }] of active) {
      // Computed, not by the clock: another process may have had the processor meanwhile.
      expect(host.samples, name).toBeGreaterThan(100);
      // Between two looks of the probe there may be nothing of it to see.
      expect(host.own[0]?.ms ?? 0, `${name}: the extension held up its host`).toBeLessThanOrEqual(16);
      expect(frames.computed.length, name).toBeGreaterThan(0);
      expect(frames.computed[0], `${name}: a task held up a window`).toBeLessThan(bound);
    }
  });

  it('looks right in every theme and when it is narrow', async () => {
    failed('looks');
    for (const theme of ['light', 'highContrast'] as const) {
      await useTheme(page, theme);
      await runCommand(page, 'Ratchet: Search Experiences...');
      await quickInput(page).fill('zeppelin');
      await eventually(() => title(page)).toBe('Search Experiences: 10 experiences found');
      await screenshot(page, `scale-search-${theme}-1280`);
      await typeKeys(page, 'Escape');
    }
    await page.setViewportSize({ width: 800, height: 600 });
    await runCommand(page, 'Ratchet: Filter Experiences...');
    await filterBy(page, 'Text', () => answer(page, 'zeppelin'));
    await eventually(() => listed(page).count()).toBe(7);
    await screenshot(page, 'scale-filter-list-highContrast-800');
    await typeKeys(page, 'Escape');
    await screenshot(page, 'scale-filter-highContrast-800');
    await useTheme(page, 'light');
    await screenshot(page, 'scale-filter-light-800');
    await runCommand(page, 'Ratchet: Clear Experience Filter');
  });

  it('writes no error to the console of any window', () => {
    expect(editor.consoleErrors()).toEqual([]);
  });
});
