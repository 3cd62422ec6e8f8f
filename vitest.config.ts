import { defineConfig } from "vitest/config";

// Suites that start real processes (actions, servers, browsers, bots) run one file at a time and after the others:
// what they wait for is then slowed down by nobody but themselves, also on two cores.
const processes = [
  "actions",
  "bot",
  "cli",
  "deploy",
  "eval/latency",
  "models/*.test.ts",
  "predict",
  "rehearsal",
  "spaces",
].map((room) => (room.endsWith(".ts") ? `tests/${room}` : `tests/${room}/**/*.test.ts`));

export default defineConfig({
  test: {
    // Most suites start real processes and ONNX sessions; the default five seconds is for units.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: "parts", include: ["tests/**/*.test.ts"], exclude: processes, sequence: { groupOrder: 0 } },
      },
      // In CI one more try, told by name at the end (scripts/flaky-reporter.ts): an unlucky moment of the machine is no
      // verdict on a change.
      {
        extends: true,
        test: {
          name: "processes",
          include: processes,
          retry: process.env["CI"] === "true" ? 1 : 0,
          fileParallelism: false,
          maxConcurrency: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
