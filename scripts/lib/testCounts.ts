// Owns reading how many tests ran from the report files of vitest's JSON reporter. It does not run anything.

/** How many tests passed, failed and were skipped; a test file that could not be loaded counts as one failure. */
export type TestCounts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** The part of a vitest JSON report that is read here. */
export type TestReport = {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
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
