/** An npm script that a change must pass. `runsTests`: Vitest, which leaves a report; otherwise the exit code decides. */
export type Step = { script: string; runsTests: boolean };

/** Everything a change must pass, quick answers first: for `npm run ci`, `.ci/run` and `.github/workflows/ci.yml`. */
export const steps: readonly Step[] = [
  { script: "format:check", runsTests: false },
  { script: "lint", runsTests: false },
  { script: "typecheck", runsTests: false },
  { script: "knip", runsTests: false },
  // What is generated and committed equals what the sources generate, byte for byte.
  { script: "schemas:check", runsTests: false },
  { script: "build:check", runsTests: false },
  { script: "test", runsTests: true },
  { script: "test:slow", runsTests: true },
];
