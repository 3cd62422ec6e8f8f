import { matchesGlob } from "node:path";

/**
 * What `npm test` leaves to `npm run test:slow`, and why. CI runs both. Everything else must stay quick enough for a
 * contributor to wait for.
 */
export const slow: Readonly<Record<string, string>> = {
  "tests/rehearsal/rehearsal.test.ts": "plays every story of `npm run rehearsal`",
};

/**
 * What starts real processes: actions, servers, bots, shells. These files run one at a time and after the others, so
 * that what they wait for is slowed down by nobody but themselves, also on two cores.
 */
export const processes: readonly string[] = [
  "tests/{actions,bot,cli,deploy,predict,rehearsal,spaces}/**/*.test.ts",
  "tests/eval/latency/**/*.test.ts",
  "tests/models/*.test.ts",
];

export type Project = "parts" | "processes" | "slow";

/** @param file path in the repository, with slashes */
export function projectOf(file: string): Project {
  if (Object.keys(slow).some((pattern) => matchesGlob(file, pattern))) return "slow";
  return processes.some((pattern) => matchesGlob(file, pattern)) ? "processes" : "parts";
}
