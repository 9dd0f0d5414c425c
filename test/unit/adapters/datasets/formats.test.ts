// Owns the check of every format and of hostile content in it, on own small files: what is read is what was written, or is refused with a reason.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepsExactly, parseExact } from '../../../../src/adapters/datasets/exactJson.ts';
import { inspectData } from '../../../../src/adapters/datasets/inspect.ts';
import { createCutter, elementRows } from '../../../../src/adapters/datasets/jsonElements.ts';
import type { TaskFileLimits } from '../../../../src/adapters/datasets/readTasks.ts';
import { taskFiles } from '../../../../src/adapters/datasets/taskFiles.ts';
import type { FileOptions } from '../../../../src/core/model/dataset.ts';
import type { LoadedTasks } from '../../../../src/core/ports.ts';

let workspace = '';
beforeAll(() => {
  workspace = mkdtempSync(path.join(tmpdir(), 'ratchet-formats-'));
});
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

let made = 0;
function put(name: string, content: string | Uint8Array): string {
  const file = `${made++}-${name}`;
  writeFileSync(path.join(workspace, file), content);
  return file;
}
const load = (
  name: string,
  content: string | Uint8Array,
  options: FileOptions = {},
  limits: TaskFileLimits = {},
): Promise<LoadedTasks> => taskFiles(workspace, limits).load(put(name, content), 'train', options);
const pairs = ({ tasks }: LoadedTasks) => tasks.map(({ input, reference }) => [input, reference]);
const why = ({ skipped }: LoadedTasks) => skipped.map(({ line, reason }) => [line, reason]);
const refusal = async (loading: Promise<unknown>) =>
  loading.then(
    () => 'not refused',
    (error: unknown) => (error as Error).message,
  );
const rows = [
  ['What is 2+2?', '4'],
  ['Who, exactly?', 'Ada "the first"'],
];

describe('the same rows in every format', () => {
  const objects = rows.map(([question, answer]) => ({ question, answer }));
  test.each([
    ['a.jsonl', objects.map((row) => JSON.stringify(row)).join('\r\n')],
    ['a.json', JSON.stringify(objects, null, 2)],
    ['lists.json', JSON.stringify({ version: 1, examples: objects })],
    ['lines.json', objects.map((row) => JSON.stringify(row)).join('\n')],
    ['pretty.jsonl', JSON.stringify(objects, null, 2)],
    ['a.csv', 'question,answer\n"What is 2+2?",4\n"Who, exactly?","Ada ""the first"""\n'],
    ['semicolon.csv', 'question;answer\r\nWhat is 2+2?;4\r\nWho, exactly?;"Ada ""the first"""\r\n'],
    ['old-mac.csv', 'question,answer\rWhat is 2+2?,4\r"Who, exactly?","Ada ""the first"""\r'],
    ['a.tsv', 'question\tanswer\nWhat is 2+2?\t4\nWho, exactly?\t"Ada ""the first"""\n'],
    [
      'a.yaml',
      '- question: What is 2+2?\n  answer: 4\n- { question: "Who, exactly?", answer: Ada "the first" }\n',
    ],
    [
      'documents.yaml',
      '---\nquestion: What is 2+2?\nanswer: "4"\n---\nquestion: Who, exactly?\nanswer: Ada "the first"\n',
    ],
    ['no-extension', objects.map((row) => JSON.stringify(row)).join('\n')],
  ])('%s', async (name, content) => {
    for (const bytes of [
      Buffer.from(content),
      Buffer.from(`\ufeff${content}`),
      Buffer.from(`\ufeff${content}`, 'utf16le'),
      Buffer.from(`\ufeff${content}`, 'utf16le').swap16(),
    ])
      expect([pairs(await load(name, bytes)), why(await load(name, bytes))]).toEqual([rows, []]);
  });
});

describe('numbers', () => {
  test('that a double would round keep every digit, in JSON and in YAML', async () => {
    const long = '12345678901234567890';
    expect(pairs(await load('n.jsonl', `{"input":${long},"reference":0.1234567890123456789}`))).toEqual([
      [long, '0.1234567890123456789'],
    ]);
    expect(pairs(await load('n.json', `[{"input":${long},"reference":1e999}]`))).toEqual([[long, '1e999']]);
    expect(pairs(await load('n.yaml', `- input: ${long}\n  reference: 007\n`))).toEqual([[long, '007']]);
    expect(pairs(await load('n.csv', `input,reference\n${long},1.10\n`))).toEqual([[long, '1.10']]);
  });

  test('keepsExactly says whether a double is the number that was written', () => {
    for (const [source, exact] of [
      ['0.1', true],
      ['1.0', true],
      ['1e3', true],
      ['-0', true],
      ['9007199254740993', false],
      ['1e400', false],
      ['0.30000000000000001', false],
      ['100000000000000000000', true],
      ['5e-324', true],
      ['1e-400', false],
    ] as const)
      expect(keepsExactly(source, Number(source)), source).toBe(exact);
  });

  test('any JSON value of text and safe numbers is read as itself', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        expect(parseExact(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown });
      }),
    );
  });
});

describe('hostile JSON', () => {
  test('a field that stands twice is refused, wherever it is; __proto__ is a field like any other', async () => {
    const loaded = await load(
      'twice.jsonl',
      '{"input":"a","reference":"1","input":"b"}\n{"input":"c","x":{"y":1,"y":2}}\n{"__proto__":{"input":"z"},"input":"d"}\n',
    );
    expect(pairs(loaded)).toEqual([['d', undefined]]);
    expect(why(loaded)).toEqual([
      [1, 'a field stands in it twice'],
      [2, 'a field stands in it twice'],
    ]);
    expect(({} as { input?: string }).input).toBeUndefined();
  });

  test('half a character and deep nesting cost one row each, with a reason', async () => {
    const deep = `{"input":"x","y":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
    const loaded = await load('bad.json', `[{"input":"\\ud800"},${deep},{"input":"\\ud83d\\ude00"}]`);
    expect(pairs(loaded)).toEqual([['\u{1f600}', undefined]]);
    expect(why(loaded).map(([, reason]) => reason)).toEqual([
      '"input" holds half a character (a lone surrogate)',
      expect.stringContaining('64 deep'),
    ]);
  });

  test('a bad element of a list is one bad row with its line; a broken list is refused with the place', async () => {
    const loaded = await load('nan.json', '[\n{"input":"a"},\n{"input":NaN},\n{"input":"b"}\n]');
    expect([pairs(loaded), why(loaded)]).toEqual([
      [
        ['a', undefined],
        ['b', undefined],
      ],
      [[3, 'not valid JSON']],
    ]);
    expect(await refusal(load('cut.json', '[\n{"input":"a"},\n{"input":"b"'))).toMatch(
      /ends in the middle, at line 3/,
    );
    expect(await refusal(load('comma.json', '[\n{"input":"a"}\n{"input":"b"}]'))).toMatch(
      /line 3: a comma or the end/,
    );
    expect(await refusal(load('after.json', '[{"input":"a"}] x'))).toMatch(/something after its end/);
  });

  test('elements are cut the same whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(0, 2),
        async (items, size, indent) => {
          const bytes = Buffer.from(JSON.stringify(items, null, indent));
          async function* chunks(): AsyncGenerator<Uint8Array> {
            const shared = Buffer.alloc(size);
            for (let at = 0; at < bytes.length; at += size)
              yield shared.subarray(0, bytes.copy(shared, 0, at, at + size));
          }
          const found: unknown[] = [];
          for await (const row of elementRows(chunks(), 'list', { longest: 1_000_000 }))
            found.push(row.kind === 'row' ? row.value : row.reason);
          expect(found).toEqual(JSON.parse(JSON.stringify(items)));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('an element over the cap is passed over without being held', () => {
    const cutter = createCutter('list', 10);
    const cut = [...cutter.feed(Buffer.from(`[1,"${'x'.repeat(100)}",`)), ...cutter.feed(Buffer.from('2]'))];
    cutter.end();
    expect(cut.map(({ bytes }) => (bytes === null ? null : Buffer.from(bytes).toString()))).toEqual([
      '1',
      null,
      '2',
    ]);
  });
});

describe('hostile CSV', () => {
  test('formulas, zeros, blanks and mixed line ends stay what they are', async () => {
    const loaded = await load(
      'f.csv',
      'input,reference\r\n=1+1,007\n"  spaced ","a\r\nb"\r\n\r\n5" pipe,x\n',
    );
    expect(pairs(loaded)).toEqual([
      ['=1+1', '007'],
      ['  spaced ', 'a\r\nb'],
      ['5" pipe', 'x'],
    ]);
  });

  test('ragged rows are told by line; invalid UTF-8 is a bad row, not a changed one', async () => {
    const loaded = await load(
      'r.csv',
      Buffer.concat([
        Buffer.from('input,reference\na,1\nb\nc,3,4\n'),
        Buffer.from([0xff]),
        Buffer.from(',2\né,5\n'),
      ]),
    );
    expect(pairs(loaded)).toEqual([
      ['a', '1'],
      ['é', '5'],
    ]);
    expect(why(loaded)).toEqual([
      [3, '1 field where the first row has 2'],
      [4, '3 fields where the first row has 2'],
      [5, 'not valid UTF-8'],
    ]);
  });

  test('a quote left open is told, and bounded', async () => {
    const loaded = await load('q.csv', 'input,reference\na,1\n"b,2\nc,3\n');
    expect([pairs(loaded), why(loaded)]).toEqual([
      [['a', '1']],
      [[3, 'a quote is not closed; all that follows it belongs to this row']],
    ]);
    const long = `input,reference\na,1\n"b,2\n${'c,3\n'.repeat(500_000)}`;
    expect(await refusal(load('bomb.csv', long, {}, { longestRow: 100_000 }))).toMatch(
      /row at line 3.*quote left open/,
    );
  });

  test('two columns of one name are refused, a prototype as a name is not', async () => {
    expect(await refusal(load('t.csv', 'input,input\na,b\n'))).toMatch(/two columns called "input"/);
    expect(pairs(await load('p.csv', '__proto__,input\nx,a\n'))).toEqual([['a', undefined]]);
  });

  test('any table that is written by the rules is read back', async () => {
    const field = fc
      .string({ unit: 'grapheme', maxLength: 8 })
      .filter((text) => text.isWellFormed() && !text.includes('\0'));
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        async (table, end) => {
          const text = ['input,reference', ...table.map((row) => row.map(quoted).join(','))].join(end);
          const found = await inspectData(
            put('any.csv', text),
            { map: { input: ['input', 'reference'] } },
            workspace,
          );
          const usable = table.filter((row) => row.join('').trim() !== '');
          expect(found.rows).toBe(table.length);
          expect(found.tasks + found.duplicates).toBe(usable.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('hostile YAML', () => {
  test('words that older versions take for values stay words', async () => {
    const loaded = await load(
      'norway.yaml',
      '- { input: no, reference: 2001-01-01 }\n- { input: on, reference: 1:30 }\n',
    );
    expect(pairs(loaded)).toEqual([
      ['no', '2001-01-01'],
      ['on', '1:30'],
    ]);
  });

  test.each([
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
      /not readable YAML/,
    ],
    ['a tag of a program', '- !!python/object:os.system { input: x }\n', /not valid YAML at line 1/],
    ['a key that stands twice', 'input: a\ninput: b\n', /not valid YAML at line 2/],
    ['a tab as indent', 'input:\n\t- a\n', /not valid YAML/],
    ['too large', `- input: ${'x'.repeat(1_100_000)}\n`, /over the 1 MB that YAML is read of/],
    [
      'an alias to itself',
      '- &a { input: x, y: *a }\n',
      /no usable row \(line 1: (?:more than 64 deep|.*alias)/,
    ],
  ])('%s is refused', async (_name, content, message) => {
    expect(await refusal(load('h.yaml', content))).toMatch(message);
  });
});

describe('much', () => {
  test('of one bad kind is counted exactly and told in bounded room', async () => {
    const loaded = await load('much.jsonl', `{"input":"a"}\n${'nonsense\n'.repeat(5_000)}`);
    expect(loaded.skipped.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(5_000);
    expect(loaded.skipped.length).toBeLessThan(1_100);
  });

  test('sample draws the same tasks in every order of the rows', async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `{"input":"task ${index}"}`);
    const some = await load('s.jsonl', lines.join('\n'), { sample: 50 });
    const again = await load('s.jsonl', lines.toReversed().join('\n'), { sample: 50 });
    const ids = ({ tasks }: LoadedTasks) => tasks.map(({ id }) => id).sort();
    expect(some.tasks).toHaveLength(50);
    expect(ids(some)).toEqual(ids(again));
  });

  test('text is refused with the way to use a part of it', async () => {
    const lines = Array.from({ length: 50 }, (_, index) => `{"input":"task ${index} ${'x'.repeat(100)}"}`);
    expect(await refusal(load('t.jsonl', lines.join('\n'), {}, { mostText: 2_000 }))).toMatch(
      /add sample: 10000/,
    );
    expect((await load('t.jsonl', lines.join('\n'), { sample: 5 }, { mostText: 2_000 })).tasks).toHaveLength(
      5,
    );
  });
});
