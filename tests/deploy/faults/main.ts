// npm run faults [-- --lanes N] [-- --only TEXT]: every HTTP boundary of a deployment × every kind of fault, each followed
// by a run without one. Writes bench/results/deploy-faults.md; exits with 1 when anything did not converge.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { unpackDeployAction } from "../stage.ts";
import { boundariesOf, kinds, nameOf, type Boundary, type Kind } from "./boundaries.ts";
import { converge, exchange, prepared, type Outcome } from "./converge.ts";
import { makePredecessor } from "./predecessor.ts";

const { values: { lanes, only } } = parseArgs({ options: { lanes: { type: "string", default: "3" }, only: { type: "string", default: "" } } });
const began = Date.now();
const action = await unpackDeployAction();
const predecessor = await makePredecessor(action);

const clean = await prepared(action, predecessor.dir);
const from = { hub: clean.hub.transcript.length, github: clean.github.transcript.length, app: clean.hub.probes.length };
const { code, log } = await clean.deploy();
if (code !== 0) throw new Error(log);
const boundaries = [exchange, ...boundariesOf(clean, from)];
await clean.close();

const cases: { boundary: Boundary; kind: Kind }[] = boundaries.filter((one) => nameOf(one).includes(only)).flatMap((boundary) => kinds.map((kind) => ({ boundary, kind })));
console.log(`${boundaries.length} boundaries × ${kinds.length} faults = ${cases.length} cases`);
const outcomes: Outcome[] = [];
let next = 0;
await Promise.all(Array.from({ length: Number(lanes) }, async () => {
  while (next < cases.length) {
    const { boundary, kind } = cases[next++]!;
    const outcome = await converge(action, predecessor.dir, boundary, kind);
    outcomes.push(outcome);
    if (outcome.problems.length > 0) console.log(`✗ ${nameOf(boundary)}, ${kind}: ${outcome.first}; ${outcome.problems.join("; ")}`);
    else if (outcomes.length % 20 === 0) console.log(`${outcomes.length} of ${cases.length}, ${((Date.now() - began) / 1000).toFixed(0)} s`);
  }
}));

const failed = outcomes.filter(({ problems }) => problems.length > 0);
const cell = (boundary: Boundary, kind: Kind) => {
  const found = outcomes.find((one) => one.boundary === boundary && one.kind === kind);
  return found === undefined ? "" : `${found.problems.length === 0 ? "✓" : "✗"} ${found.first}`;
};
const report = [
  "# Faults of a deployment", "",
  "`npm run faults`: births 1.0.0 is live and proved, 1.1.0 is deployed by the built action; one HTTP boundary fails, and a later attempt of the same run meets no fault. ✓: the later attempt ended with 1.1.0 live and proved, one commit per change, one record per revision, the release tag, no lock, and no token in any output; and the first had ended with one of the two versions in place. The words tell how the first ended.", "",
  `${boundaries.length} boundaries × ${kinds.length} kinds of fault = ${outcomes.length} cases; ${outcomes.length - failed.length} converged, ${failed.length} did not. \`error\` lasts for the whole first run; \`hang\`, \`reset-before\` and \`reset-after\` happen once; \`kill\` ends the process by SIGKILL once the request has had its effect.`, "",
  `| boundary | ${kinds.join(" | ")} |`, `|---|${kinds.map(() => "---").join("|")}|`,
  ...boundaries.filter((one) => nameOf(one).includes(only)).map((boundary) => `| ${nameOf(boundary)} | ${kinds.map((kind) => cell(boundary, kind)).join(" | ")} |`), "",
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
