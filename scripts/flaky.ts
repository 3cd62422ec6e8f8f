// `npm run flaky -- --runs 20 [tests…]`: runs the tests again and again beside a neighbour that keeps every processor
// busy, and says which did not end the same way each time. Nothing is retried.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { ConfigurationError } from "../models/core/errors.ts";
import { differences, type Outcomes } from "./flaky/differences.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "20" }, quiet: { type: "boolean", default: false } },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 2)
  throw new ConfigurationError({
    code: "flaky-runs",
    place: "--runs",
    problem: "not a number of runs that could differ",
    expected: "a whole number from 2 on",
    received: values.runs,
    example: "--runs 20",
  });

type Report = {
  testResults: { name: string; assertionResults: { fullName: string; status: string; failureMessages?: string[] }[] }[];
};

/** How each test of one run ended, by file and name. */
function runOnce(folder: string, run: number): Outcomes {
  const file = join(folder, `${run}.json`);
  spawnSync(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", "--retry=0", "--reporter=json", `--outputFile=${file}`, ...positionals],
    // CI is what turns retries on.
    { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, CI: "" } },
  );
  const { testResults } = JSON.parse(readFileSync(file, "utf8")) as Report;
  return new Map(
    testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ fullName, status, failureMessages = [] }) => [
        `${name.replace(`${process.cwd()}/`, "")} > ${fullName}`,
        { status, why: failureMessages[0]?.split("\n")[0] ?? "" },
      ]),
    ),
  );
}

// Threads, because they end with this process, however it ends.
const neighbours = values.quiet
  ? []
  : Array.from({ length: availableParallelism() }, () => new Worker("for (;;);", { eval: true }));
const folder = mkdtempSync(join(tmpdir(), "sluice-flaky-"));
try {
  const all: Outcomes[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const began = performance.now();
    const outcomes = runOnce(folder, run);
    all.push(outcomes);
    const failed = [...outcomes.values()].filter(({ status }) => status === "failed").length;
    console.log(
      `run ${run} of ${runs}: ${outcomes.size} tests, ${failed} failed, ${Math.round((performance.now() - began) / 1000)} s`,
    );
  }
  const found = differences(all);
  for (const { test, ended } of found) console.log(`${test}\n  ${ended.join("\n  ")}`);
  console.log(`${found.length} tests did not end the same way in ${runs} runs`);
  process.exitCode = found.length === 0 ? 0 : 1;
} finally {
  await Promise.all(neighbours.map((one) => one.terminate()));
  rmSync(folder, { recursive: true, force: true });
}
