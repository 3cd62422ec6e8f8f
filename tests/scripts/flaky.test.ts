import { expect, it } from "vitest";
import { differences } from "../../scripts/flaky/differences.ts";
import { rangesOf } from "../../scripts/mutants/changed-ranges.ts";
import { pageOf } from "../../scripts/mutants/results.ts";

const run = (outcomes: Record<string, string>) =>
  new Map(
    Object.entries(outcomes).map(([test, end]) => {
      const [status = "", why = ""] = end.split(": ");
      return [test, { status, why }];
    }),
  );

it("a test is flaky when it ends in two ways, or is missing once", () => {
  expect(
    differences([
      run({ a: "passed", b: "passed", c: "failed: one", d: "passed" }),
      run({ a: "passed", b: "failed: too slow", c: "failed: two" }),
      run({ a: "passed", b: "passed", c: "failed: one", d: "passed" }),
    ]),
  ).toEqual([
    { test: "b", ended: ["2 × passed", "1 × failed: too slow"] },
    { test: "d", ended: ["2 × passed", "1 × missing"] },
  ]);
});

it("the lines of a change are those that it adds or changes", () => {
  const diff = [
    "diff --git a/eval/a.ts b/eval/a.ts",
    "--- a/eval/a.ts",
    "+++ b/eval/a.ts",
    "@@ -3,2 +3,4 @@ function one() {",
    "+new",
    "@@ -20 +22 @@",
    "@@ -30,5 +31,0 @@ only removed",
    "--- a/eval/gone.ts",
    "+++ /dev/null",
    "@@ -1,9 +0,0 @@",
  ].join("\n");
  expect(rangesOf(diff)).toEqual(["eval/a.ts:3-6", "eval/a.ts:22-22"]);
});

it("the page of mutants counts what is equivalent apart, and lists every survivor with its judgement", () => {
  const survivor = {
    file: "eval/a.ts",
    line: 7,
    mutator: "m",
    original: "a || b",
    replacement: "true",
    status: "survived" as const,
  };
  const page = pageOf({
    rooms: [
      {
        room: "judge",
        all: 100,
        mutants: 20,
        noticed: 17,
        survivors: [
          survivor,
          { ...survivor, line: 8, original: "`x`" },
          { ...survivor, line: 9, status: "unreached", original: "c" },
        ],
        seconds: 50,
        seed: 1,
      },
    ],
    judgements: [
      { file: "eval/a.ts", original: "a || b", replacement: "true", judged: "equivalent", why: "b is never false" },
      { file: "eval/a.ts", original: "`x`", replacement: "true", judged: "open", why: "a test of x" },
    ],
  });
  expect(page).toContain("| judge | 100 | 20 | 17 | 1 | 2 | 89 % (69 % to 97 %) | 2.5 |");
  expect(page).toContain("| eval/a.ts:7 | `a \\|\\| b` → `true` | equivalent: b is never false |");
  expect(page).toContain("| eval/a.ts:8 | `'x'` → `true` | open: a test of x |");
  expect(page).toContain("| eval/a.ts:9 (not run) | `c` → `true` | not judged yet |");
});
