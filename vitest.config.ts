import { defineConfig } from "vitest/config";
import { processes, slow } from "./tests/projects.ts";

const all = ["tests/**/*.test.ts"];
const slowFiles = Object.keys(slow);

/** One file at a time, and all of them after the projects before. */
const oneAtATime = (groupOrder: number) => ({
  // In CI one more try, told by name at the end (scripts/flaky-reporter.ts): an unlucky moment of the machine is no
  // verdict on a change.
  retry: process.env["CI"] === "true" ? 1 : 0,
  fileParallelism: false,
  maxConcurrency: 3,
  sequence: { groupOrder },
});

export default defineConfig({
  test: {
    // Most suites start real processes and ONNX sessions; the default five seconds is for units.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Which file belongs where, and why: tests/projects.ts.
    projects: [
      {
        extends: true,
        test: { name: "parts", include: all, exclude: [...processes, ...slowFiles], sequence: { groupOrder: 0 } },
      },
      { extends: true, test: { name: "processes", include: [...processes], exclude: slowFiles, ...oneAtATime(1) } },
      { extends: true, test: { name: "slow", include: slowFiles, ...oneAtATime(2) } },
    ],
  },
});
