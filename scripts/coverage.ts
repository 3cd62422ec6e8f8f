// `npm run coverage`: runs the tests that run in this process, counts with V8 which lines they run, and writes the lines
// that none of them runs to bench/results/coverage.md. What only a started process runs (the command line, the built
// actions, a server) is not seen. It is a list to read, not a target.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";

const page = "bench/results/coverage.md";

type FileCoverage = {
  path: string;
  statementMap: Record<string, { start: { line: number }; end: { line: number } }>;
  s: Record<string, number>;
};

/** Lines on which a statement begins that was never run, and all lines on which one begins. */
function linesOf({ statementMap, s }: FileCoverage): { never: number[]; all: number } {
  const runs = new Map<number, number>();
  for (const [id, { start }] of Object.entries(statementMap))
    runs.set(start.line, Math.max(runs.get(start.line) ?? 0, s[id] ?? 0));
  return {
    never: [...runs]
      .filter(([, count]) => count === 0)
      .map(([line]) => line)
      .toSorted((a, b) => a - b),
    all: runs.size,
  };
}

/** 3, 4, 5, 9 → "3-5, 9" */
function ranges(lines: readonly number[]): string {
  const found: [number, number][] = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else found.push([line, line]);
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(", ");
}

const given = process.argv.slice(2);
const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--coverage",
    ...(given.length === 0 ? ["--project=parts", "--project=processes"] : given),
  ],
  { stdio: "inherit" },
);
const files = Object.values(
  JSON.parse(readFileSync("coverage/coverage-final.json", "utf8")) as Record<string, FileCoverage>,
)
  .map((one) => ({ file: relative(process.cwd(), one.path), ...linesOf(one) }))
  .toSorted((a, b) => (a.file < b.file ? -1 : 1));
const all = files.reduce((sum, one) => sum + one.all, 0);
const never = files.reduce((sum, one) => sum + one.never.length, 0);
writeFileSync(
  page,
  [
    "# Lines that no test in this process runs",
    "",
    `Made by \`npm run coverage${given.length === 0 ? "" : ` -- ${given.join(" ")}`}\`. ${all - never} of ${all} lines with a statement are run. What only a process runs that a test starts (command`,
    "line, built actions, server) counts as not run here. [docs/tests.md](../../docs/tests.md) says how to read it.",
    "",
    "| file | not run | lines |",
    "| --- | --- | --- |",
    ...files
      .filter((one) => one.never.length > 0)
      .map(
        (one) =>
          `| ${one.file} | ${one.never.length} of ${one.all} | ${one.never.length === one.all ? "all" : ranges(one.never)} |`,
      ),
    "",
  ].join("\n"),
);
console.log(`${all - never} of ${all} lines are run; the others are named in ${page}`);
process.exitCode = status ?? 1;
