import { availableParallelism } from "node:os";
import { kinds, kindsAt, nameOf, type Boundary, type Kind } from "./boundaries.ts";
import type { Outcome } from "./converge.ts";

/** The document with the results of a run, complete or ended early. */
export function faultTable(
  boundaries: readonly Boundary[],
  outcomes: readonly Outcome[],
  cases: number,
  run: { lanes: string; began: Date; minutes: number },
): string {
  const failed = outcomes.filter(({ problems }) => problems.length > 0);
  const tallies = Object.entries(
    Object.groupBy(outcomes, ({ first, problems }) => (problems.length > 0 ? "did not converge" : first)),
  )
    .map(([first, found]) => `${found!.length} × ${first}`)
    .sort();
  const cell = (boundary: Boundary, kind: Kind) => {
    const found = outcomes.find((one) => one.boundary === boundary && one.kind === kind);
    if (found === undefined) return kindsAt(boundary).includes(kind) ? "not played" : "=";
    return `${found.problems.length === 0 ? "✓" : "✗"} ${found.first}`;
  };
  return `${[
    "# Faults of a deployment",
    "",
    `\`npm run faults -- --lanes ${run.lanes}\`, ${run.began.toISOString().slice(0, 10)}, ${run.minutes.toFixed(0)} minutes on ${availableParallelism()} cores.`,
    "",
    "births 1.0.0 is live and proved, and the built action deploys 1.1.0; one HTTP boundary fails, and a later attempt of the same run meets no fault. The boundaries are those that a run without faults goes over: signed in with a token; by trusted publishing (`trusted`); with weights that go to a model repository (`large`); and with a version that does not build and is rolled back (`broken`). Each stands in the table once, where it was met first.",
    "",
    "✓: the later attempt ended with the right version live and proved (1.1.0; 1.0.0 where 1.1.0 is broken), one commit per change in the Space and in the model repository, one record per revision, the release tag, no lock, and no token in any output; and the first attempt, unless it was killed, had ended with one of the two versions in place. The words tell how the first ended.",
    "",
    `${boundaries.length} boundaries, ${outcomes.length} of ${cases} cases played: ${outcomes.length - failed.length} converged, ${failed.length} did not. How the first attempts ended: ${tallies.join(", ")}.`,
    "",
    "`error` lasts for the whole first attempt; `hang` and `reset` happen once, `reset` before or after the request's effect; `kill` ends the process by SIGKILL before or after it. `=`: the request only reads, so that before and after are one moment. `broken`, `error`: a Hub that refuses every commit until the end keeps the first attempt from going back, which it says; the next one goes back.",
    "",
    `| boundary | ${kinds.join(" | ")} |`,
    `|---|${kinds.map(() => "---").join("|")}|`,
    ...boundaries.map(
      (boundary) => `| ${nameOf(boundary)} | ${kinds.map((kind) => cell(boundary, kind)).join(" | ")} |`,
    ),
    "",
    ...failed.map(({ boundary, kind, problems }) => `- ${nameOf(boundary)}, ${kind}: ${problems.join("; ")}`),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

/** The section on what no single request shows. */
export function troubleTable(played: readonly { name: string; problems: readonly string[] }[]): string {
  return `${[
    "",
    "## What no single request shows",
    "",
    "Each begins with 1.0.0 live and proved and 1.1.0 to be deployed. ✓: it ended as tests/deploy/faults/troubles.ts says.",
    "",
    "| when | |",
    "|---|---|",
    ...played.map(({ name, problems }) => `| ${name} | ${problems.length === 0 ? "✓" : `✗ ${problems.join("; ")}`} |`),
  ].join("\n")}\n`;
}
