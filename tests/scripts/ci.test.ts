import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { steps } from "../../scripts/ci/steps.ts";
import { countTests, type AllowedSkip, type TestReport } from "../../scripts/ci/test-report.ts";
import { alone, processes, projectOf, slow } from "../projects.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const scripts = steps.map(({ script }) => script);

describe("the steps of CI", () => {
  it("are npm scripts", () => {
    const known = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);
    expect(scripts.filter((script) => !known.includes(script))).toEqual([]);
  });

  it("are called by ci.yml, each once and nothing besides", () => {
    const called = [...read(".github/workflows/ci.yml").matchAll(/npm run ci -- (\S+)/g)].map(([, name]) => name);
    expect(called.toSorted()).toEqual(scripts.toSorted());
  });

  it("may skip what the list names: files that exist, each with its reason", () => {
    const allowed = JSON.parse(read("scripts/ci/allowed-skips.json")) as AllowedSkip[];
    expect(allowed.filter(({ file, reason }) => !existsSync(join(root, file)) || reason.trim() === "")).toEqual([]);
  });
});

describe("countTests", () => {
  const file = (name: string, tests: [string, string][], status = "passed") => ({
    name: `/repo/${name}`,
    status,
    assertionResults: tests.map(([fullName, status]) => ({ fullName, status })),
  });
  const report = (...testResults: TestReport["testResults"]): TestReport => ({ testResults });
  const allowed: AllowedSkip[] = [{ file: "tests/a.test.ts", test: "browser", reason: "no browser" }];
  const count = (one: TestReport | null, exitCode: number | null) => {
    const { problems, ...counts } = countTests(one, exitCode, allowed, "/repo");
    return { ...counts, problems: problems.length };
  };

  it.each([
    ["passed", report(file("tests/a.test.ts", [["a", "passed"]])), 0, [1, 0, 0, 0]],
    [
      "failed",
      report(
        file(
          "tests/a.test.ts",
          [
            ["a", "failed"],
            ["b", "passed"],
          ],
          "failed",
        ),
      ),
      1,
      [1, 1, 0, 0],
    ],
    ["a skip that is allowed", report(file("tests/a.test.ts", [["browser a", "skipped"]])), 0, [0, 1, 1, 1]],
    [
      "a skip that is allowed beside a pass",
      report(
        file("tests/a.test.ts", [
          ["browser a", "skipped"],
          ["b", "passed"],
        ]),
      ),
      0,
      [1, 0, 1, 0],
    ],
    [
      "a skip of another test",
      report(
        file("tests/a.test.ts", [
          ["other", "skipped"],
          ["b", "passed"],
        ]),
      ),
      0,
      [1, 1, 0, 1],
    ],
    ["a test that never ran", report(file("tests/b.test.ts", [["b", "pending"]])), 0, [0, 1, 0, 1]],
    ["a file that cannot be loaded", report(file("tests/a.test.ts", [], "failed")), 1, [0, 1, 0, 1]],
    ["a crash after all passed", report(file("tests/a.test.ts", [["a", "passed"]])), 1, [1, 1, 0, 1]],
    ["a runner that was killed", report(file("tests/a.test.ts", [["a", "passed"]])), null, [1, 1, 0, 1]],
    ["no report", null, 1, [0, 1, 0, 1]],
    ["no report from a runner that is content", null, 0, [0, 1, 0, 1]],
  ] as const)("%s", (_, one, exitCode, [passed, failed, skipped, problems]) => {
    expect(count(one as TestReport | null, exitCode)).toEqual({ passed, failed, skipped, problems });
  });
});

describe("a test file's project", () => {
  const files = globSync("tests/**/*.test.ts", { cwd: root });

  it("is named by patterns that match something", () => {
    const unused = [...Object.keys(slow), ...processes, ...alone].filter(
      (pattern) => globSync(pattern, { cwd: root }).length === 0,
    );
    expect(unused).toEqual([]);
  });

  it("is found for a unit, a process, a slow one and one that must be alone", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(
      [
        "tests/eval/stats/bca.test.ts",
        "tests/cli/gate.test.ts",
        "tests/rehearsal/rehearsal.test.ts",
        "tests/spaces/server/overload.test.ts",
      ].map(projectOf),
    ).toEqual(["parts", "processes", "slow", "alone"]);
  });
});
