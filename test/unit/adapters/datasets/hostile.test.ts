// Owns the check of the published hostile suites: JSONTestSuite, yaml-test-suite, csv-spectrum, naughty strings. Skipped where ../shared/data is absent.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DataFormat } from '../../../../src/core/model/dataset.ts';
import { DataError } from '../../../../src/core/ports.ts';
import { inspectData } from '../../../../src/adapters/datasets/inspect.ts';
import { FormatError, type RawRow } from '../../../../src/adapters/datasets/rawRow.ts';
import { formatOf, rowsOf } from '../../../../src/adapters/datasets/rows.ts';

const data = new URL('../../../../../shared/data/', import.meta.url);
const present = existsSync(data);
if (!present) console.warn('The hostile suites are not checked: ../shared/data is absent.');
const folderOf = (name: string) => fileURLToPath(new URL(name, data));

let workspace = '';
beforeAll(() => {
  workspace = mkdtempSync(path.join(tmpdir(), 'ratchet-hostile-'));
});
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

type Read = { readonly rows: readonly RawRow[]; readonly refused: string | null };

/** Every row of a file, or why it is refused; anything but a FormatError is a crash and fails the test. */
async function read(name: string, content: Uint8Array | string, format?: DataFormat): Promise<Read> {
  const file = path.join(workspace, name);
  writeFileSync(file, content);
  const handle = await open(file, 'r');
  try {
    const opened = { file: name, handle, bytes: (await handle.stat()).size };
    const rows: RawRow[] = [];
    for await (const row of rowsOf(opened, await formatOf(opened, format), { longest: 4_000_000 }))
      rows.push(row);
    return { rows, refused: null };
  } catch (error) {
    if (error instanceof FormatError) return { rows: [], refused: error.message };
    throw error;
  } finally {
    await handle.close();
  }
}
const values = ({ rows }: Read): unknown[] => rows.flatMap((row) => (row.kind === 'row' ? [row.value] : []));
const bad = ({ rows }: Read): string[] => rows.flatMap((row) => (row.kind === 'bad' ? [row.reason] : []));

/** What a whole file says, as rows: the items of its list; of its lists, where they were taken for the rows; else itself. */
function rowsIn(value: unknown, got: Read): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  const lists = got.rows.some((row) => row.member !== undefined);
  return lists
    ? (Object.values(value as object)
        .filter(Array.isArray)
        .flat() as unknown[])
    : [value];
}

describe.skipIf(!present)('JSONTestSuite', () => {
  const names = present ? readdirSync(folderOf('hostile_json/test_parsing')) : [];
  const bytesOf = (name: string) => readFileSync(path.join(folderOf('hostile_json/test_parsing'), name));

  test('95 of 95 valid texts are read as what they say', async () => {
    const valid = names.filter((name) => name.startsWith('y_'));
    expect(valid).toHaveLength(95);
    for (const name of valid) {
      const bytes = bytesOf(name);
      const told = JSON.parse(bytes.toString('utf8')) as unknown;
      const got = await read(name, bytes);
      const want = rowsIn(told, got);
      expect(got.refused, name).toBeNull();
      if (name.includes('duplicated_key')) expect(bad(got), name).toEqual(['a field stands in it twice']);
      else expect([values(got), bad(got)], name).toEqual([want, []]);
    }
  });

  test('188 of 188 invalid texts give no row without a reason', async () => {
    const invalid = names.filter((name) => name.startsWith('n_'));
    expect(invalid).toHaveLength(188);
    for (const name of invalid) {
      const got = await read(name, bytesOf(name));
      // A text of several lines may be JSON Lines with a bad line; a text of nothing is an empty file.
      const empty = bytesOf(name).toString('utf8').replace('\ufeff', '').trim() === '';
      if (!empty)
        expect(
          got.refused !== null || bad(got).length > 0,
          `${name} gave ${JSON.stringify(values(got))}`,
        ).toBe(true);
      else expect(values(got), name).toEqual([]);
    }
  });

  test('a good row beside any of them is neither lost nor changed', async () => {
    for (const name of names) {
      const content = bytesOf(name);
      const got = await read(
        'around.jsonl',
        Buffer.concat([Buffer.from('{"a":"first"}\n'), content, Buffer.from('\n{"a":"last"}\n')]),
      );
      expect(values(got)[0], name).toEqual({ a: 'first' });
      expect(values(got).at(-1), name).toEqual({ a: 'last' });
    }
  });
});

interface YamlCase {
  readonly name: string;
  readonly yaml: string;
  readonly json: string | undefined;
  readonly fail: boolean;
}

/** The suite writes unseen characters with signs (yaml-test-suite, README). */
function unseen(text: string): string {
  return text
    .replaceAll('␣', ' ')
    .replace(/—*»/g, '\t')
    .replaceAll('⇔', '\ufeff')
    .replaceAll('↵', '')
    .replaceAll('←', '\r')
    .replace(/∎\n$/, '');
}

function yamlCases(): YamlCase[] {
  const folder = folderOf('hostile_yaml/src');
  return readdirSync(folder).flatMap((file) => {
    const [document] = parseAllDocuments(readFileSync(path.join(folder, file), 'utf8'));
    const entries = (document as { toJS(): Record<string, unknown>[] }).toJS();
    let before: Record<string, unknown> = {};
    return entries.map((entry, index): YamlCase => {
      before = { ...before, fail: undefined, ...entry };
      return {
        name: `${file} ${index}`,
        yaml: unseen(String(before.yaml)),
        json: typeof before.json === 'string' ? before.json : undefined,
        fail: before.fail === true,
      };
    });
  });
}

/** The documents of a case as JSON; the suite writes one after the other. */
function documentsIn(json: string): unknown[] {
  const found: unknown[] = [];
  let text = '';
  for (const line of json.split('\n')) {
    text += `${line}\n`;
    if (text.trim() === '') continue;
    try {
      found.push(JSON.parse(text));
      text = '';
    } catch {
      // The document goes on.
    }
  }
  return found;
}

describe.skipIf(!present)('yaml-test-suite', () => {
  const cases = present ? yamlCases() : [];

  test('gives what the suite says, or a reason', async () => {
    expect(cases).toHaveLength(208);
    const wrong: string[] = [];
    let equal = 0;
    let refused = 0;
    for (const { name, yaml, json, fail } of cases) {
      const got = await read('case.yaml', yaml);
      const said = got.refused !== null || bad(got).length > 0;
      if (fail) {
        refused += said ? 1 : 0;
        if (!said) wrong.push(`${name}: not refused`);
        continue;
      }
      if (json === undefined || said) continue;
      const want = documentsIn(json).flatMap((value) => rowsIn(value, got));
      const same =
        JSON.stringify(asText(values(got).filter((value) => value !== null))) ===
        JSON.stringify(asText(want.filter((value) => value !== null)));
      equal += same ? 1 : 0;
      if (!same) wrong.push(`${name}: ${JSON.stringify(values(got))} for ${JSON.stringify(want)}`);
    }
    expect(wrong).toEqual([]);
    expect({ refused, equal }).toEqual({ refused: 41, equal: expect.any(Number) as number });
    expect(equal).toBeGreaterThan(100);
  });
});

/** Numbers as the text a task would hold. */
function asText(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, asText(item)]);
  return value;
}

describe.skipIf(!present)('csv-spectrum', () => {
  // Wrong upstream: the JSON has another phone number, and CRLF where the file has LF.
  const wrongUpstream = new Set(['location_coordinates.csv', 'newlines_crlf.csv']);
  const names = present ? readdirSync(folderOf('hostile_csv/csvs')) : [];

  test('ten of ten pairs match', async () => {
    const checked = names.filter((name) => !wrongUpstream.has(name));
    expect(checked).toHaveLength(10);
    for (const name of checked) {
      const want = JSON.parse(
        readFileSync(path.join(folderOf('hostile_csv/json'), name.replace('.csv', '.json')), 'utf8'),
      ) as unknown;
      const got = await read(name, readFileSync(path.join(folderOf('hostile_csv/csvs'), name)));
      expect([values(got), bad(got), got.refused], name).toEqual([want, [], null]);
    }
  });

  test('with CRLF throughout, a line end inside quotes is kept', async () => {
    const text = readFileSync(path.join(folderOf('hostile_csv/csvs'), 'newlines_crlf.csv'), 'utf8');
    const got = await read('crlf.csv', text.replace(/\n/g, '\r\n'));
    expect(values(got)).toEqual(
      JSON.parse(readFileSync(path.join(folderOf('hostile_csv/json'), 'newlines_crlf.json'), 'utf8')),
    );
  });
});

describe.skipIf(!present)('naughty strings', () => {
  const strings = present
    ? (JSON.parse(readFileSync(new URL('hostile_strings/blns.json', data), 'utf8')) as string[])
    : [];
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

  test('all 515 come through JSON, JSON Lines, CSV and YAML unchanged', async () => {
    expect(strings).toHaveLength(515);
    const rows = strings.map((a) => ({ a }));
    expect(values(await read('n.json', JSON.stringify(rows)))).toEqual(rows);
    expect(values(await read('n.jsonl', rows.map((row) => JSON.stringify(row)).join('\n')))).toEqual(rows);
    expect(values(await read('n.yaml', rows.map((row) => `- ${JSON.stringify(row)}`).join('\n')))).toEqual(
      rows,
    );
    const csv = await read('n.csv', `a,b\n${strings.map((text) => `${quoted(text)},x`).join('\n')}\n`);
    expect(values(csv)).toEqual(strings.map((a) => ({ a, b: 'x' })));
  });
});

describe.skipIf(!present)('data sets in the shapes people have', () => {
  test.each([
    ['sft_formats/alpaca_en_demo_first150.json', 'alpaca', 150, 150],
    ['sft_formats/identity.json', 'alpaca', 91, 91],
    ['sft_formats/dpo_en_demo_first40.json', 'preference', 40, 40],
    ['sft_formats/glaive_toolcall_en_demo_first40.json', 'sharegpt', 40, 40],
    ['sft_formats/kto_en_demo_first40.json', 'messages', 40, 40],
    ['sft_formats/v1_sft_demo_first50.jsonl', 'messages', 50, 50],
    ['self_instruct/seed_tasks.jsonl', 'self-instruct', 175, 175],
    ['self_instruct/user_oriented_instructions.jsonl', 'self-instruct', 252, 252],
    ['gsm8k/test.jsonl', 'question-answer', 1319, 1319],
    ['ldb/humaneval_gpt35_ldb.jsonl', 'humaneval', null, null],
    ['ldb/mbpp_probs.jsonl', 'humaneval', null, null],
    ['bbh/date_understanding.json', 'plain', 250, 250],
  ] as const)('%s is %s', async (file, shape, rows, usable) => {
    const found = await inspectData(file, {}, folderOf('.'));
    expect([found.used.shape, found.rejected, found.reasons]).toEqual([shape, 0, []]);
    if (rows !== null) expect(found.rows).toBe(rows);
    if (usable !== null) expect(found.tasks + found.duplicates).toBeGreaterThanOrEqual(usable);
    expect(found.preview.every(({ task }) => task.input.trim() !== '')).toBe(true);
  });

  test('a file that is no data set is said to be none', async () => {
    const error = await inspectData('README.md', {}, folderOf('.')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DataError);
  });
});
