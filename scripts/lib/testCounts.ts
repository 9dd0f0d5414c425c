// Owns reading from the report files of vitest's JSON reporter how many tests ran and which failed. It does not run anything.
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** How many tests passed, failed and were skipped; a test file that could not be loaded counts as one failure. */
export type TestCounts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** The part of a vitest JSON report that is read here. */
export type TestReport = { readonly testResults: readonly FileReport[] };

export type FileReport = {
  /** The test file's absolute path. */
  readonly name: string;
  readonly status: string;
  /** Why the file could not be loaded, else empty. */
  readonly message?: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages?: readonly string[];
  }[];
};

export const noTests: TestCounts = { passed: 0, failed: 0, skipped: 0 };

export function countTests(report: TestReport): TestCounts {
  const perFile = report.testResults.map(({ status, assertionResults }) => {
    const passed = assertionResults.filter((each) => each.status === 'passed').length;
    const failedTests = assertionResults.filter((each) => each.status === 'failed').length;
    const failed = status === 'failed' ? Math.max(1, failedTests) : failedTests;
    return { passed, failed, skipped: assertionResults.length - passed - failedTests };
  });
  return perFile.reduce(addCounts, noTests);
}

export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The closing line, as in "12 passed, 0 failed, 1 skipped"; skipped is left out where nothing was. */
export function countsLine({ passed, failed, skipped }: TestCounts): string {
  const line = `${String(passed)} passed, ${String(failed)} failed`;
  return skipped === 0 ? line : `${line}, ${String(skipped)} skipped`;
}

/** The files that did not pass. */
export function failedFiles({ testResults }: TestReport): readonly string[] {
  return testResults.filter(failed).map(({ name }) => name);
}

/** The second report's files in the place of the first's; files that only the first has stay. */
export function withSecondTry(first: TestReport, second: TestReport): TestReport {
  const again = new Map(second.testResults.map((file) => [file.name, file]));
  return { testResults: first.testResults.map((file) => again.get(file.name) ?? file) };
}

/** One line for each failed test: its file below `root`, its name, and how its message begins. */
export function failureLines({ testResults }: TestReport, root: string): readonly string[] {
  return testResults.filter(failed).flatMap(({ name, message = '', assertionResults }) => {
    const file = path.relative(root, name);
    const tests = assertionResults.filter(({ status }) => status === 'failed');
    if (tests.length === 0) return [`${file}: ${beginning(message)}`];
    return tests.map(
      ({ fullName, failureMessages = [] }) => `${file} > ${fullName}: ${beginning(failureMessages[0] ?? '')}`,
    );
  });
}

function failed({ status, assertionResults }: FileReport): boolean {
  return status === 'failed' || assertionResults.some((each) => each.status === 'failed');
}

function beginning(message: string): string {
  const line = stripVTControlCharacters(message).split('\n    at ')[0] ?? '';
  return line.replaceAll(/\s+/gu, ' ').trim().slice(0, 300);
}
