import type { Reporter, TestCase, TestModule } from "vitest/node";

/**
 * Names the tests that passed only when they were tried again: such a test, or what it tests, has a race to be found.
 */
export default class FlakyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const again = modules
      .flatMap((one) => [...one.children.allTests("passed")])
      .filter((test: TestCase) => test.diagnostic()?.flaky === true);
    for (const test of again)
      console.log(
        `Passed on the second try: ${test.module.moduleId.replace(`${process.cwd()}/`, "")} > ${test.fullName}`,
      );
  }
}
