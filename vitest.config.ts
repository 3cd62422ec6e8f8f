import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { alone, processes, slow } from "./tests/projects.ts";

const all = ["tests/**/*.test.ts"];
const slowFiles = Object.keys(slow);
// In CI one more try, told by name at the end (scripts/flaky-reporter.ts): an unlucky moment of the machine is no
// verdict on a change.
const retry = process.env["CI"] === "true" ? 1 : 0;

export default defineConfig({
  test: {
    // Most suites start real processes and ONNX sessions; the default five seconds is for units.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // For scripts/coverage.ts. Files that no test imports count too.
    coverage: {
      provider: "v8",
      include: ["{bot,cli,deploy,eval,github,predict,spaces,watch}/**/*.ts", "models/{core,remote}/**/*.ts"],
      reporter: ["json"],
      reportOnFailure: true,
    },
    // Which file belongs where, and why: tests/projects.ts. One project after the other.
    projects: [
      {
        extends: true,
        test: {
          name: "parts",
          include: all,
          exclude: [...processes, ...slowFiles],
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "processes",
          include: [...processes],
          exclude: slowFiles,
          retry,
          maxWorkers: 2,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "slow",
          include: slowFiles,
          exclude: [...alone],
          retry,
          maxWorkers: 2,
          maxConcurrency: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: [...alone],
          retry,
          fileParallelism: false,
          maxConcurrency: 3,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
