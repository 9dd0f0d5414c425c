// Owns the check of reading tasks from a user's file: shapes, bad lines, limits, paths, hostile content.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readLines } from '../../../../src/adapters/datasets/lines.ts';
import type { TaskFileLimits } from '../../../../src/adapters/datasets/readTasks.ts';
import { createRowReader } from '../../../../src/adapters/datasets/rowReader.ts';
import { taskFiles } from '../../../../src/adapters/datasets/taskFiles.ts';
import { taskId } from '../../../../src/core/measure/identity.ts';
import type { LoadedTasks } from '../../../../src/core/ports.ts';
import { DataError } from '../../../../src/core/ports.ts';

let workspace = '';
beforeAll(() => {
  workspace = mkdtempSync(path.join(tmpdir(), 'ratchet-data-'));
});
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

let made = 0;
function put(content: string | Uint8Array): string {
  const name = `tasks${made++}.jsonl`;
  writeFileSync(path.join(workspace, name), content);
  return name;
}
const load = (content: string | Uint8Array, limits: TaskFileLimits = {}): Promise<LoadedTasks> =>
  taskFiles(workspace, limits).load(put(content), 'train');
const inputs = ({ tasks }: LoadedTasks): string[] => tasks.map(({ input }) => input);
const problems = ({ skipped }: LoadedTasks): [number, string][] =>
  skipped.map(({ line, reason }) => [line, reason]);
async function refused(loading: Promise<LoadedTasks>): Promise<string> {
  const error = await loading.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe('rows', () => {
  test.each([
    [
      { input: '1+1', reference: '2' },
      { input: '1+1', reference: '2' },
    ],
    [{ input: '1+1' }, { input: '1+1' }],
    [
      { input: 'Who?', context: 'Ada.', reference: 'Ada' },
      { input: 'Who?', context: 'Ada.', reference: 'Ada' },
    ],
    [
      { question: 'q', answer: 18 },
      { input: 'q', reference: '18' },
    ],
    [
      { question: 'q', answer: 'She makes 9 * 2 = 18.\n#### 18' },
      { input: 'q', reference: '18' },
    ],
    [
      { question: 'q', answer: 'ends in ####' },
      { input: 'q', reference: 'ends in ####' },
    ],
    [
      { prompt: 'p', completion: 'c', extra: [1] },
      { input: 'p', reference: 'c' },
    ],
    [
      { instruction: 'i', input: 'x', output: 'o' },
      { input: 'i', context: 'x', reference: 'o' },
    ],
    [{ instruction: 'i', input: '', output: '' }, { input: 'i' }],
    [
      { input: 'x', reference: true },
      { input: 'x', reference: 'true' },
    ],
    [{ input: 'x', reference: null }, { input: 'x' }],
    [{ input: 7 }, { input: '7' }],
  ])('%j', (row, content) =>
    expect(createRowReader([row], {}).read(row)).toEqual([{ ok: true, content, labels: null }]),
  );

  test.each([
    [[1, 2], /not an object/],
    [null, /not an object/],
    ['text', /not an object/],
    [{}, /no input/],
    [{ input: '  ' }, /no input/],
    [{ input: ['a'] }, /"input" must be text/],
    [{ input: 'x\ud800' }, /"input" holds half a character/],
    [{ input: 'x', reference: 2 ** 60 }, /too large to keep exactly/],
    [JSON.parse('{"input":"x","answer":1e400}'), /too large/],
    [JSON.parse('{"__proto__":{"input":"x"}}'), /must be text/],
    [Object.create({ input: 'inherited' }), /no input/],
  ])('%j is refused', (row: unknown, reason) => {
    const [read] = createRowReader([row], {}).read(row);
    expect(read?.ok === false ? read.reason : '').toMatch(reason);
  });
});

describe('a file', () => {
  test('gives tasks whose id is what they say', async () => {
    const { tasks } = await load('{"input":"1+1","reference":"2"}\n');
    expect(tasks).toEqual([
      { id: taskId({ input: '1+1', reference: '2' }), split: 'train', input: '1+1', reference: '2' },
    ]);
  });

  test('reports each bad line by number and loses nothing else', async () => {
    const lines = [
      '\ufeff{"input":"a"}',
      '',
      'not json',
      '{"input":"b"}',
      '   ',
      '{"output":"c"}',
      '{"input":"a"}',
      '{"input":"d","reference":"4"}',
      '{"input":"e"',
    ];
    const loaded = await load(lines.join('\r\n'));
    expect(inputs(loaded)).toEqual(['a', 'b', 'd']);
    expect(problems(loaded)).toEqual([
      [3, 'not valid JSON'],
      [6, expect.stringContaining('no input')],
      [7, 'the same task as line 1'],
      [9, 'not valid JSON; the file may be cut off here'],
    ]);
    expect(loaded.skipped.every(({ file }) => file.endsWith('.jsonl') && !file.includes('/'))).toBe(true);
  });

  test('a whole last line needs no line end', async () => {
    const loaded = await load('{"input":"a"}\n{"input":"b"}');
    expect([inputs(loaded), loaded.skipped]).toEqual([['a', 'b'], []]);
  });

  test('invalid UTF-8 is a bad line, not a changed one', async () => {
    const loaded = await load(
      Buffer.concat([
        Buffer.from('{"input":"'),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('"}\n{"input":"ok"}\n'),
      ]),
    );
    expect(inputs(loaded)).toEqual(['ok']);
    expect(problems(loaded)).toEqual([[1, 'not valid UTF-8']]);
  });

  test('a line over the cap is passed over in bounded memory', async () => {
    const loaded = await load(`{"input":"${'x'.repeat(3_000_000)}"}\n{"input":"ok"}\n`, {
      longestRow: 2_000_000,
    });
    expect(inputs(loaded)).toEqual(['ok']);
    expect(problems(loaded)).toEqual([[1, 'longer than 2 MB']]);
  });

  test('a deep line is one bad line', async () => {
    const loaded = await load(
      `${'['.repeat(200_000)}\n{"input":${'['.repeat(50_000)}${']'.repeat(50_000)}}\n{"input":"ok"}\n`,
    );
    expect(inputs(loaded)).toEqual(['ok']);
    expect(problems(loaded).map(([line]) => line)).toEqual([1, 2]);
  });

  test('the event loop turns again and again while a long file is read', async () => {
    const text = 'x'.repeat(1_000);
    const rows = Array.from(
      { length: 10_000 },
      (_, index) => `{"input":"task ${index} ${text}","reference":"${index}"}`,
    );
    let turns = 0;
    let reading = true;
    const turn = (): void => {
      turns += 1;
      if (reading) setImmediate(turn);
    };
    setImmediate(turn);
    const loaded = await load(rows.join('\n'));
    reading = false;
    expect(loaded.tasks).toHaveLength(10_000);
    // Ten megabytes are forty pieces of 256 kB.
    expect(turns).toBeGreaterThanOrEqual(40);
  });

  test('reads the same lines whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('\n', '\r\n', 'é', '한')),
          { maxLength: 30 },
        ),
        fc.integer({ min: 1, max: 7 }),
        async (pieces, size) => {
          const bytes = Buffer.from(pieces.join(''));
          const shared = Buffer.alloc(size);
          async function* chunks(): AsyncGenerator<Uint8Array> {
            for (let at = 0; at < bytes.length; at += size) {
              const copied = bytes.copy(shared, 0, at, at + size);
              yield shared.subarray(0, copied);
            }
          }
          const lines: string[] = [];
          for await (const line of readLines(chunks(), 1_000))
            lines.push(line.kind === 'text' ? line.text : line.kind);
          const whole = bytes.toString('utf8').split('\n');
          if (whole.at(-1) === '') whole.pop();
          expect(lines).toEqual(whole.map((line) => line.replace(/\r$/u, '').replace(/^\ufeff/u, '')));
        },
      ),
    );
  });
});

describe('a file that cannot be used', () => {
  test('is missing', async () =>
    expect(await refused(taskFiles(workspace).load('nope.jsonl', 'dev'))).toBe(
      'The data file nope.jsonl cannot be used: there is no such file.',
    ));
  test('is a folder', async () => {
    mkdirSync(path.join(workspace, 'folder'));
    expect(await refused(taskFiles(workspace).load('folder', 'dev'))).toMatch(/folder/);
  });
  test('is a pipe, without waiting for a writer', async () => {
    execFileSync('mkfifo', [path.join(workspace, 'pipe')]);
    expect(await refused(taskFiles(workspace).load('pipe', 'dev'))).toMatch(/not a regular file/);
  });
  test('is empty', async () => expect(await refused(load(''))).toMatch(/no usable row: it is empty/));
  test('is larger than the cap', async () => {
    const name = put('{"input":"a"}\n');
    truncateSync(path.join(workspace, name), 3_000_000);
    expect(await refused(taskFiles(workspace, { largestFile: 2_000_000 }).load(name, 'dev'))).toMatch(
      /3 MB, over the limit of 2 MB/,
    );
  });
  test('is not JSON Lines at all', async () =>
    expect(await refused(load('x\n'.repeat(50)))).toMatch(/no usable row \(line 1: not valid JSON\)/));
  test('has fields nobody knows', async () =>
    expect(await refused(load('{"frage":"a","antwort":"b"}'))).toMatch(/add map: \{ input: "FIELD"/));

  test.each(['../outside.jsonl', '/etc/passwd', 'link.jsonl', 'a\0b', ''])(
    'leaves the workspace: %j',
    async (file) => {
      const folder = path.join(workspace, 'inner');
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(workspace, 'outside.jsonl'), '{"input":"secret"}\n');
      if (!existsSync(path.join(folder, 'link.jsonl')))
        symlinkSync(path.join(workspace, 'outside.jsonl'), path.join(folder, 'link.jsonl'));
      expect(await refused(taskFiles(folder).load(file, 'train'))).toMatch(
        /outside of the workspace|no data file/,
      );
    },
  );
  test('a recipe in a folder may use a file beside that folder, inside the workspace', async () => {
    const folder = path.join(workspace, 'recipes');
    mkdirSync(folder);
    const name = put('{"input":"a"}\n');
    expect(inputs(await taskFiles(folder, { workspace }).load(`../${name}`, 'train'))).toEqual(['a']);
  });
});

const suite = new URL('../../../../../shared/data/hostile_json/test_parsing/', import.meta.url);
const naughty = new URL('../../../../../shared/data/hostile_strings/blns.json', import.meta.url);
if (!existsSync(suite)) console.warn('Hostile JSON files are not checked: ../shared/data is absent.');

describe.skipIf(!existsSync(suite))('hostile files', () => {
  test('no JSON test file crashes the reader or costs a good line', async () => {
    for (const name of readdirSync(suite)) {
      const bytes = readFileSync(path.join(fileURLToPath(suite), name));
      const loaded = await load(
        Buffer.concat([Buffer.from('{"input":"first"}\n'), bytes, Buffer.from('\n{"input":"last"}\n')]),
      );
      const mine = inputs(loaded).filter((input) => input === 'first' || input === 'last');
      expect(mine, name).toEqual(['first', 'last']);
      if (
        name.startsWith('n_') &&
        bytes.length > 0 &&
        bytes.toString('utf8').trim() !== '' &&
        !bytes.includes(0x0a)
      )
        expect(problems(loaded), name).toContainEqual([2, expect.stringMatching(/not valid/)]);
      if (name.startsWith('y_') && !bytes.includes(0x0a))
        expect(
          problems(loaded).filter(([, reason]) => reason.startsWith('not valid')),
          name,
        ).toEqual([]);
    }
  });

  test('naughty strings come through unchanged', async () => {
    const strings = (JSON.parse(readFileSync(naughty, 'utf8')) as string[]).filter(
      (text) => text.trim() !== '',
    );
    const loaded = await load(strings.map((input) => JSON.stringify({ input })).join('\n'));
    expect(inputs(loaded)).toEqual([...new Set(strings)]);
  });
});
