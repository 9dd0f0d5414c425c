// Owns the proof that a person brings a data file into a loop in a real editor: looked through, mapped, and used, with every other line of the loop as it was.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { answer, choose, openFile, quickInput, runCommand } from './harness/commands.ts';
import { openEditor, repository, type Editor } from './harness/editor.ts';
import { keepEvidence, screenshot } from './harness/screenshot.ts';

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });
const fixture = path.join(import.meta.dirname, 'fixtures', 'data');

describe('importing data', () => {
  let editor: Editor;
  const failed = (name: string) => onTestFailed(() => keepEvidence(editor, name));
  const fileText = (name: string) => readFileSync(path.join(editor.workspace, name), 'utf8');
  const shown = () => editor.page.locator('.editor-instance .view-lines').allTextContents();
  /** The editor writes blanks as another sign. */
  const document = async () => (await shown()).join('\n').replaceAll('\u00a0', ' ');
  const title = () => editor.page.locator('.quick-input-widget:visible .quick-input-title').textContent();
  /** Takes the box of one entry of a list of many, and says that is all. */
  const tick = async (label: string) => {
    await quickInput(editor.page).fill(label);
    await editor.page
      .locator('.quick-input-widget:visible .monaco-list-row', { hasText: label })
      .first()
      .click();
    await editor.page.locator('.quick-input-widget:visible', { hasText: '1 Selected' }).waitFor();
    await editor.page.keyboard.press('Enter');
  };

  beforeAll(async () => {
    editor = await openEditor({ workspace: fixture, extensions: [repository] });
  });
  afterAll(() => editor.close());

  it('shows what a file holds, takes a mapping, and makes a loop use it', async () => {
    failed('import-data');
    const { page } = editor;
    const before = fileText('capitals.loop.yaml');
    await openFile(page, 'capitals.csv');
    await eventually(document).toContain('Hauptstadt');
    await runCommand(page, 'Ratchet: Import Data...');
    await eventually(title).toContain('capitals.csv');
    await choose(page, 'Change the Mapping...');
    await eventually(title).toContain('Which part');
    await choose(page, 'Input');
    await eventually(title).toContain('which fields');
    // Land is taken already, as the first field of fields nobody knows.
    await page.keyboard.press('Enter');
    await eventually(title).toContain('13 tasks');
    await choose(page, 'Change the Mapping...');
    await eventually(title).toContain('Which part');
    await choose(page, 'Reference');
    await eventually(title).toContain('which fields');
    await tick('Hauptstadt');
    await eventually(title).toContain('13 tasks');
    await eventually(document).toMatch(/Reference/);
    await screenshot(page, 'import-data-mapped');
    await choose(page, 'Use in a Loop...');
    await eventually(title).toContain('Which loop');
    await choose(page, 'capitals.loop.yaml');
    await eventually(title).toContain('How is');
    await choose(page, '60 % train, 20 % dev, 20 % test');
    // The page that shows the data names the file too: what is saved is the loop, once it is in front.
    await page.locator('.tab.active', { hasText: 'capitals.loop.yaml' }).waitFor();
    await eventually(document).toContain('capitals.csv');
    await page.keyboard.press('Control+S');
    await eventually(() => fileText('capitals.loop.yaml')).toContain('capitals.csv');
    await screenshot(page, 'import-data-used');
    const after = fileText('capitals.loop.yaml');
    expect(after).toMatch(/input: Land, reference: Hauptstadt/);
    const rest = (text: string) =>
      text.replace(/^data:.*\n(?: {2}[a-z]+:.*\n)*/m, '').replace(/ *# replaced\n?/, '');
    expect(rest(after)).toBe(rest(before));
  });

  it('makes a new loop on the file', async () => {
    failed('import-data-new');
    const { page } = editor;
    await openFile(page, 'capitals.csv');
    await runCommand(page, 'Ratchet: Import Data...');
    await eventually(title).toContain('capitals.csv');
    await choose(page, 'Use in a Loop...');
    await eventually(title).toContain('Which loop');
    await choose(page, 'New Loop...');
    await eventually(title).toContain('How is');
    await choose(page, '50 % train, 25 % dev, 25 % test');
    await eventually(title).toContain('Name of the new loop');
    await answer(page, 'capitals-search');
    await eventually(title).toContain('Which model');
    await answer(page, 'pocket');
    await eventually(title).toContain('How are answers graded');
    // No field is mapped to a reference here, so only a judge can tell.
    await choose(page, 'judge');
    await eventually(() => {
      try {
        return fileText('capitals-search.loop.yaml');
      } catch {
        return '';
      }
    }).toContain('file: capitals.csv');
    expect(fileText('capitals-search.loop.yaml')).toContain('metric: judge');
    expect(editor.consoleErrors()).toEqual([]);
  });
});
