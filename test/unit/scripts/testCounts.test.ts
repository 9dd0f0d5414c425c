// Owns the tests of how `npm test` counts and names what failed.
import { describe, expect, it } from 'vitest';
import {
  addCounts,
  countsLine,
  countTests,
  failedFiles,
  failureLines,
  noTests,
  withSecondTry,
} from '../../../scripts/lib/testCounts.ts';

const file = (status: string, ...tests: readonly string[]) => ({
  name: '/work/test/some.test.ts',
  status,
  assertionResults: tests.map((each) => ({ status: each, fullName: `it ${each}` })),
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

describe('what failed', () => {
  const passed = { ...file('passed', 'passed'), name: '/work/test/a.test.ts' };
  const red = {
    ...file('failed'),
    name: '/work/test/b.test.ts',
    assertionResults: [
      { status: 'passed', fullName: 'b holds' },
      {
        status: 'failed',
        fullName: 'b breaks',
        failureMessages: ['\u001b[31mError: one\n  two\u001b[39m\n    at file:1'],
      },
    ],
  };

  it('is named by file and test, with how its message begins', () => {
    const report = { testResults: [passed, red] };
    expect(failedFiles(report)).toEqual([red.name]);
    expect(failureLines(report, '/work')).toEqual(['test/b.test.ts > b breaks: Error: one two']);
  });

  it('is named for a file that could not be loaded', () => {
    const report = { testResults: [{ ...file('failed'), message: 'no such module' }] };
    expect(failureLines(report, '/work')).toEqual(['test/some.test.ts: no such module']);
  });

  it('is what failed in the second try, and in files that had none', () => {
    const first = { testResults: [passed, red, file('failed', 'failed')] };
    const second = { testResults: [{ ...passed, name: red.name }] };
    expect(failedFiles(withSecondTry(first, second))).toEqual(['/work/test/some.test.ts']);
  });
});
