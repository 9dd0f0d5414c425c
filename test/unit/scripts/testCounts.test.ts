// Owns the tests of how `npm test` counts.
import { describe, expect, it } from 'vitest';
import { addCounts, countsLine, countTests, noTests } from '../../../scripts/lib/testCounts.ts';

const file = (status: string, ...tests: readonly string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

describe('countTests', () => {
  it('adds up over files and tells skipped ones apart', () => {
    const report = {
      testResults: [file('passed', 'passed', 'passed', 'skipped'), file('failed', 'failed', 'todo')],
    };
    expect(countTests(report)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  it('counts a file that could not be loaded as one failure', () => {
    expect(countTests({ testResults: [file('failed')] })).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('counts a file whose hook failed beside passing tests', () => {
    expect(countTests({ testResults: [file('failed', 'passed')] })).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
    });
  });
});

describe('countsLine', () => {
  it('names skipped tests only where there are any', () => {
    expect(countsLine(addCounts(noTests, { passed: 2, failed: 1, skipped: 0 }))).toBe('2 passed, 1 failed');
    expect(countsLine({ passed: 2, failed: 0, skipped: 3 })).toBe('2 passed, 0 failed, 3 skipped');
  });
});
