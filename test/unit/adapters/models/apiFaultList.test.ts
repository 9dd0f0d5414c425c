/**
 * Every one of the 45 faults an API can have is a test, at three moments of a run, and none is skipped. Reads the tests
 * themselves: a number that is in no title and in no row is a fault nobody tests.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { again, item, outcome, paused } from './apiFaultRows.ts';

const FAULTS = Array.from({ length: 45 }, (_, index) => index + 1);
const files = ['apiFaults.test.ts', 'connectionFaults.test.ts', 'sampleFaults.test.ts'] as const;

const read = (file: string): string => readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8');

/** Numbers at the head of titles of tests inside of the three moments. */
function titled(text: string): readonly number[] {
  const start = text.indexOf('describe.each(moments)');
  expect(start).toBeGreaterThan(0);
  const end = text.indexOf('\n});', start);
  return [...text.slice(start, end).matchAll(/\(\s*'(\d+) /gu)].map(([, number]) => Number(number));
}

describe('the 45 faults of an API', () => {
  test('are tests at three moments, each of them', () => {
    const rows = [...again, ...item, ...outcome, ...paused].map(({ fault }) => fault);
    const titles = files.flatMap((file) => titled(read(file)));
    expect([...new Set([...rows, ...titles])].sort((a, b) => a - b)).toEqual(FAULTS);
  });

  test.each(files)('are skipped nowhere in %s', (file) => {
    expect(read(file)).not.toMatch(/\.(?:skip|only|todo|skipIf|runIf|fails)\b/u);
  });

  test.each(['apiFaults.test.ts', 'moments.ts'])(
    'meet the first call, 16 in flight and the last in %s',
    (file) => {
      const text = read(file);
      expect(text).toMatch(/'first', 0\][^]*'middle', 20\][^]*'last', CALLS - 1\]/u);
      expect(text).toContain('IN_FLIGHT = 16');
    },
  );
});
