// npm run faults [-- --lanes N] [-- --only TEXT]: every HTTP boundary of a deployment × every kind of fault, each followed
// by a run without one. Writes bench/results/deploy-faults.md; exits with 1 when anything did not converge.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { unpackDeployAction } from "../stage.ts";
import { boundariesOf, kinds, kindsAt, nameOf, scenarios, type Boundary, type Kind } from "./boundaries.ts";
import { converge, neverMet, prepared, settingsOf, signIn, type Outcome } from "./converge.ts";
import { makePredecessor } from "./predecessor.ts";

const { values: { lanes, only } } = parseArgs({ options: { lanes: { type: "string", default: "3" }, only: { type: "string", default: "" } } });
const began = Date.now();
const action = await unpackDeployAction();
const predecessor = await makePredecessor(action);

/** What a run without any fault goes over, scenario by scenario; what an earlier one went over already is left out. */
async function boundariesOfAll(): Promise<Boundary[]> {
  const found: Boundary[] = [...signIn];
  const known = new Set<string>();
  for (const scenario of scenarios) {
    const clean = await prepared(action, predecessor.dir, scenario, 2000);
    const from = { hub: clean.hub.transcript.length, github: clean.github.transcript.length, app: clean.hub.probes.length };
    const { code, log } = await clean.deploy({ settings: settingsOf(scenario) });
    if (code !== (scenario === "broken" ? 1 : 0)) throw new Error(log);
    for (const boundary of boundariesOf(scenario, clean, from)) {
      const name = nameOf({ ...boundary, scenario: "plain" });
      if (!known.has(name) && !(scenario === "trusted")) found.push(boundary);
      known.add(name);
    }
    await clean.close();
  }
  return found;
}

const boundaries = (await boundariesOfAll()).filter((one) => nameOf(one).includes(only));
const cases: { boundary: Boundary; kind: Kind }[] = boundaries.flatMap((boundary) => kindsAt(boundary).map((kind) => ({ boundary, kind })));
console.log(`${boundaries.length} boundaries, ${cases.length} cases`);
const outcomes: Outcome[] = [];
let next = 0;
await Promise.all(Array.from({ length: Number(lanes) }, async () => {
  while (next < cases.length) {
    const { boundary, kind } = cases[next++]!;
    let outcome = await converge(action, predecessor.dir, boundary, kind);
    for (let again = 0; again < 2 && outcome.problems.includes(neverMet); again += 1) outcome = await converge(action, predecessor.dir, boundary, kind);
    outcomes.push(outcome);
    if (outcome.problems.length > 0) console.log(`✗ ${nameOf(boundary)}, ${kind}: ${outcome.first}; ${outcome.problems.join("; ")}`);
    else if (outcomes.length % 20 === 0) console.log(`${outcomes.length} of ${cases.length}, ${((Date.now() - began) / 1000).toFixed(0)} s`);
  }
}));

const failed = outcomes.filter(({ problems }) => problems.length > 0);
const cell = (boundary: Boundary, kind: Kind) => {
  const found = outcomes.find((one) => one.boundary === boundary && one.kind === kind);
  return found === undefined ? "=" : `${found.problems.length === 0 ? "✓" : "✗"} ${found.first}`;
};
const tallies = Object.entries(Object.groupBy(outcomes, ({ first, problems }) => (problems.length > 0 ? "did not converge" : first))).map(([first, found]) => `${found!.length} × ${first}`).sort();
const report = [
  "# Faults of a deployment", "",
  `\`npm run faults -- --lanes ${lanes}\`, ${new Date(began).toISOString().slice(0, 10)}, ${((Date.now() - began) / 60_000).toFixed(0)} minutes on ${availableParallelism()} cores.`, "",
  "births 1.0.0 is live and proved, and the built action deploys 1.1.0; one HTTP boundary fails, and a later attempt of the same run meets no fault. The boundaries are those that a run without faults goes over: signed in with a token; by trusted publishing; with weights that go to a model repository (`large`); and with a version that does not build and is rolled back (`broken`). Each stands in the table once, where it was met first.", "",
  "✓: the later attempt ended with the right version live and proved (1.1.0; 1.0.0 where 1.1.0 is broken), one commit per change in the Space and in the model repository, one record per revision, the release tag, no lock, and no token in any output; and the first attempt, unless it was killed, had ended with one of the two versions in place. The words tell how the first ended.", "",
  `${boundaries.length} boundaries, ${outcomes.length} cases: ${outcomes.length - failed.length} converged, ${failed.length} did not. How the first attempts ended: ${tallies.join(", ")}.`, "",
  "`error` lasts for the whole first attempt; `hang` and `reset` happen once, `reset` before or after the request's effect; `kill` ends the process by SIGKILL before or after it. `=`: the request only reads, so that before and after are one moment.", "",
  `| boundary | ${kinds.join(" | ")} |`, `|---|${kinds.map(() => "---").join("|")}|`,
  ...boundaries.map((boundary) => `| ${nameOf(boundary)} | ${kinds.map((kind) => cell(boundary, kind)).join(" | ")} |`), "",
  ...failed.map(({ boundary, kind, problems }) => `- ${nameOf(boundary)}, ${kind}: ${problems.join("; ")}`),
].join("\n");
if (only === "") {
  const folder = join(import.meta.dirname, "../../../bench/results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "deploy-faults.md"), `${report.trimEnd()}\n`);
}
console.log(`${outcomes.length - failed.length} of ${outcomes.length} converged in ${((Date.now() - began) / 1000).toFixed(0)} s`);
predecessor.remove();
action.remove();
process.exit(failed.length === 0 ? 0 : 1);
