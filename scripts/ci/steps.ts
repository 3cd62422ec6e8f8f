/** An npm script that a change must pass. `runsTests`: it runs Vitest, which leaves a report. */
export type Step = { script: string; runsTests: boolean };

/**
 * Everything that a change must pass, quick steps first: for `npm run ci`, `.ci/run` and `.github/workflows/ci.yml`.
 */
export const steps: readonly Step[] = [
  { script: "format:check", runsTests: false },
  { script: "lint", runsTests: false },
  { script: "typecheck", runsTests: false },
  { script: "knip", runsTests: false },
  // Committed generated files must equal what the sources generate, byte for byte.
  { script: "schemas:check", runsTests: false },
  { script: "build:check", runsTests: false },
  { script: "test", runsTests: true },
  { script: "test:slow", runsTests: true },
];
