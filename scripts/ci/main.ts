import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { steps, type Step } from "./steps.ts";
import { countTests, type AllowedSkip, type Counts, type TestReport } from "./test-report.ts";

// npm run ci [-- SCRIPT…]   all steps, or only these; every step runs, also after one that failed
//
// Ends with one line: `N passed, N failed` and, if tests were skipped, `, N skipped`. A step without tests counts as
// one.

const root = join(import.meta.dirname, "../..");
const allowedSkips = JSON.parse(
  readFileSync(join(import.meta.dirname, "allowed-skips.json"), "utf8"),
) as readonly AllowedSkip[];

function runScript(script: string, args: readonly string[] = []): number | null {
  const { status, error } = spawnSync("npm", ["run", "--silent", script, "--", ...args], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, CI: "true" },
  });
  if (error !== undefined) console.log(`npm cannot be started: ${error.message}`);
  return status;
}

function readReport(path: string): TestReport | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as TestReport;
  } catch {
    return null;
  }
}

function runStep({ script, runsTests }: Step): Counts {
  if (!runsTests) {
    const passed = runScript(script) === 0;
    return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0, problems: [] };
  }
  const folder = mkdtempSync(join(tmpdir(), "sluice-ci-"));
  try {
    const report = join(folder, "report.json");
    const reporters = ["default", "json", "./scripts/flaky-reporter.ts"].map((name) => `--reporter=${name}`);
    const exitCode = runScript(script, [...reporters, `--outputFile.json=${report}`]);
    return countTests(readReport(report), exitCode, allowedSkips, root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => steps.every(({ script }) => script !== name));
if (unknown.length > 0) {
  console.error(`There is no step ${unknown.join(", ")}. Steps: ${steps.map(({ script }) => script).join(", ")}`);
  process.exit(2);
}
let [passed, failed, skipped] = [0, 0, 0];
for (const step of steps.filter(({ script }) => asked.length === 0 || asked.includes(script))) {
  console.log(`== ${step.script}`);
  const startedMs = Date.now();
  const counts = runStep(step);
  passed += counts.passed;
  failed += counts.failed;
  skipped += counts.skipped;
  for (const problem of counts.problems) console.log(`${step.script}: ${problem}`);
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  console.log(`== ${step.script}: ${counts.failed === 0 ? "passed" : "FAILED"} after ${seconds} s`);
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
