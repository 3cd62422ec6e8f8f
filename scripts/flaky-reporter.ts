import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Lists the tests that passed only when retried, with what failed at first. Such a test, or the code that it tests, has a race. */
export default class FlakyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const again = modules
      .flatMap((one) => [...one.children.allTests("passed")])
      .filter((test: TestCase) => test.diagnostic()?.flaky === true);
    for (const test of again) {
      console.log(
        `Passed on the second try: ${test.module.moduleId.replace(`${process.cwd()}/`, "")} > ${test.fullName}`,
      );
      for (const { message, cause } of test.result().errors ?? [])
        console.log(`  At first: ${[message, cause?.message ?? ""].join("\n").trim().replaceAll("\n", "\n  ")}`);
    }
  }
}
