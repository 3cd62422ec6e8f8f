import { posix } from "node:path";

/** The parts of the output of Vitest's `json` reporter that we read. */
export type TestReport = {
  testResults: {
    /** Absolute path of the file. */
    name: string;
    status: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
};

/** Tests that may be skipped: all tests of a file, or those whose full name starts with `test`. */
export type AllowedSkip = { file: string; test?: string; reason: string };

export type Counts = { passed: number; failed: number; skipped: number; problems: string[] };

/**
 * Counts tests in a runner's report. A runner that fails without naming a test (a crash, an unhandled rejection, a
 * missing report) counts as one failure. So does every test that was skipped without permission.
 *
 * @param report null if there is none or it cannot be read
 * @param root absolute path of the repository
 */
export function countTests(
  report: TestReport | null,
  exitCode: number | null,
  allowed: readonly AllowedSkip[],
  root: string,
): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0, problems: [] };
  const fail = (problem?: string) => {
    counts.failed += 1;
    if (problem !== undefined) counts.problems.push(problem);
  };
  for (const { name, status, assertionResults } of report?.testResults ?? []) {
    const file = posix.relative(root, name);
    for (const test of assertionResults) {
      const isAllowed = allowed.some(
        (one) => one.file === file && (one.test === undefined || test.fullName.startsWith(one.test)),
      );
      if (test.status === "passed") counts.passed += 1;
      else if (test.status === "failed") fail();
      else if (isAllowed) counts.skipped += 1;
      else fail(`${test.status} and not among the allowed skips: ${file} > ${test.fullName}`);
    }
    if (status === "failed" && assertionResults.every((test) => test.status !== "failed"))
      fail(`the file failed outside its tests: ${file}`);
  }
  if (counts.failed === 0 && exitCode !== 0)
    fail(`the runner ended with ${exitCode ?? "a signal"} and named no failing test`);
  if (counts.failed + counts.passed === 0) fail("no test was run");
  return counts;
}
