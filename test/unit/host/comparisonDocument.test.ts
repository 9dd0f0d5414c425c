import { expect, test } from 'vitest';
import type { RunCost } from '../../../src/core/model/cost.ts';
import { asId } from '../../../src/core/model/ids.ts';
import { pathOf, readPath } from '../../../src/host/documents/addresses.ts';
import { comparisonDocument } from '../../../src/host/documents/comparisonDocument.ts';
import { detailOf, runOf } from './builders.ts';

const cost: RunCost = {
  calls: 1_200,
  inputTokens: 40_000,
  outputTokens: 8_000,
  usd: 0.0312,
  worstCaseCalls: 0,
  reused: 0,
  ms: 61_000,
};

test('the address of a comparison names both runs, and nothing else is read as one', () => {
  const address = { kind: 'comparison', one: asId<never>('a/b'), other: asId<never>('c d') } as const;
  expect(readPath(pathOf(address, 'star, Run 1 and Run 2'))).toEqual(address);
  expect(readPath('/comparisons/a/b.md')).toBeNull();
  expect(readPath('/comparisons/a/%/c.md')).toBeNull();
});

test('two runs stand side by side, an unknown price as unknown, and a name cannot become markup', () => {
  const one = detailOf({ run: runOf({ cost }) });
  const other = detailOf({
    run: runOf({ id: asId('run2'), testScore: 0.93, cost: { ...cost, calls: 900, usd: null } }),
  });
  const text = comparisonDocument(one, other, ['star | x, Run 1', 'star | x, Run 2']).replaceAll(
    '\u00a0',
    ' ',
  );
  const cells = (name: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(`| ${name} `))
      ?.split('|')
      .slice(2, -1)
      .map((cell) => cell.trim());
  expect(cells('Sealed test')).toEqual(['88.0 %', '93.0 %', '+5.0 points']);
  expect(cells('Calls')).toEqual(['1 200', '900', '\u2212300']);
  expect(cells('US dollars')).toEqual(['$0.0312', 'unknown', '']);
  // Every line of the table has the same number of columns.
  const table = text.split('\n').filter((line) => line.startsWith('|'));
  expect(new Set(table.map((line) => line.replaceAll('\\|', '').split('|').length)).size).toBe(1);
  expect(new Set(table.map((line) => line.length)).size).toBe(1);
});
