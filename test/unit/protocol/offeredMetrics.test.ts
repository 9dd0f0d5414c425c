/** Which metrics a data file is offered: by what its references look like, and all of them reachable in a sound recipe. */
import { describe, expect, it } from 'vitest';
import { newLoopText } from '../../../src/core/loop/editData.ts';
import { parseRecipe } from '../../../src/core/loop/parseRecipe.ts';
import type { DataInspection, DataShape } from '../../../src/core/model/dataset.ts';
import { metrics } from '../../../src/core/model/metric.ts';
import { offeredMetrics } from '../../../src/protocol/offeredMetrics.ts';

type Row = readonly [input: string, reference?: string, choices?: readonly string[]];

function found(shape: DataShape, rows: readonly Row[]): Pick<DataInspection, 'used' | 'preview'> {
  return {
    used: { shape, map: {}, confidence: 1, evidence: '' },
    preview: rows.map(([input, reference, choices], index) => ({
      line: index + 1,
      split: null,
      task: {
        input,
        ...(reference === undefined ? {} : { reference }),
        ...(choices === undefined ? {} : { choices }),
      },
    })),
  };
}

const files: readonly (readonly [
  what: string,
  DataShape,
  readonly Row[],
  first: string,
  among: readonly string[],
])[] = [
  [
    'sums',
    'question-answer',
    [
      ['3 and 4?', '7'],
      ['5 %?', '5 %'],
      ['dollars?', '$1,000.50'],
    ],
    'numeric',
    ['math'],
  ],
  [
    'twenty-four',
    'plain',
    [
      ['1 2 3 4', '24'],
      ['4 4 6 8', '24'],
    ],
    'arithmetic',
    ['numeric'],
  ],
  ['options', 'multiple-choice', [['which?', 'A', ['a', 'b']]], 'choice', ['exact']],
  [
    'letters',
    'plain',
    [
      ['which? (A) x (B) y', '(B)'],
      ['and now?', 'A'],
    ],
    'choice',
    ['exact'],
  ],
  [
    'formulas',
    'plain',
    [
      ['solve', 'x = 2'],
      ['and', '\\frac{1}{2}'],
      ['or', '3'],
    ],
    'math',
    ['exact'],
  ],
  ['schemas', 'plain', [['make json', '{"type": "object", "required": ["a"]}']], 'jsonSchema', ['exact']],
  ['rules', 'plain', [['write', '[{"kind": "words", "most": 5}]']], 'format', ['exact']],
  ['patterns', 'plain', [['a date', '^[0-9]{4}-[0-9]{2}$']], 'regex', ['contains']],
  [
    'names',
    'alpaca',
    [
      ['capital?', 'Paris'],
      ['writer?', 'Jane Austen'],
    ],
    'exact',
    ['contains', 'edit', 'embedding', 'judge'],
  ],
  ['essays', 'alpaca', [['explain', 'Because '.repeat(20)]], 'judge', ['rougeL', 'embedding']],
  ['talk', 'messages', [['hello'], ['and then?']], 'judge', []],
  ['programs', 'humaneval', [['def f():', 'return 1']], 'judge', []],
];

describe('a file of', () => {
  it.each(files)('%s is offered what makes sense', (_, shape, rows, first, among) => {
    const offered = offeredMetrics(found(shape, rows));
    const names = offered.map(({ metric }) => metric);
    expect(names[0]).toBe(first);
    expect(names).toEqual(expect.arrayContaining([...among]));
    expect(new Set(names).size).toBe(names.length);
    for (const { reason } of offered) expect(reason).not.toBe('');
    if (rows.every(([, reference]) => reference === undefined)) expect(names).toEqual(['judge']);
  });

  it('any kind: each metric is offered by some file, and makes a sound recipe', () => {
    const all = files.flatMap(([, shape, rows]) =>
      offeredMetrics(found(shape, rows)).map(({ metric }) => metric),
    );
    expect(new Set(all)).toEqual(new Set(metrics));
    for (const metric of metrics) {
      const text = newLoopText({
        name: 'n',
        model: 'm',
        metric,
        ...(metric === 'embedding' ? { embedder: 'p/vectors' } : {}),
        data: { file: 'a.csv' },
      });
      const { recipe, problems } = parseRecipe(text);
      expect(problems).toEqual([]);
      expect(recipe?.objective.metric).toBe(metric);
    }
  });
});
