// npm run faults [-- --lanes N] [-- --only TEXT]: plays every HTTP boundary of a deployment with every kind of fault,
// each followed by a run without a fault. Updates bench/results/deploy-faults.md after each case; exits with 1 if a
// case did not converge.
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { unpackDeployAction } from "../stage.ts";
import { boundariesOf, kindsAt, nameOf, scenarios, type Boundary, type Kind } from "./boundaries.ts";
import { converge, faultNotReached, prepared, settingsOf, signIn, type Outcome } from "./converge.ts";
import { makePredecessor } from "./predecessor.ts";
import { faultTable, troubleTable } from "./table.ts";
import { playTrouble, troubles } from "./troubles.ts";

const results = join(import.meta.dirname, "../../../bench/results/deploy-faults.md");

const {
  values: { lanes, only },
} = parseArgs({ options: { lanes: { type: "string", default: "3" }, only: { type: "string", default: "" } } });
const began = Date.now();
const action = await unpackDeployAction();
const predecessor = await makePredecessor(action);

/** The boundaries of a run without faults, scenario by scenario, without those of earlier scenarios. */
async function boundariesOfAll(): Promise<Boundary[]> {
  const found: Boundary[] = [...signIn];
  const known = new Set<string>();
  for (const scenario of scenarios) {
    const clean = await prepared(action, predecessor.dir, scenario, 2000);
    const from = {
      hub: clean.hub.transcript.length,
      github: clean.github.transcript.length,
      app: clean.hub.probes.length,
    };
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

/** The most informative kinds come first, in case the run has to be ended early. */
const order: readonly Kind[] = ["kill-after", "kill-before", "reset-after", "error", "reset-before", "hang"];
const boundaries = (await boundariesOfAll()).filter((one) => nameOf(one).includes(only));
const cases: { boundary: Boundary; kind: Kind }[] = order.flatMap((kind) =>
  boundaries.filter((boundary) => kindsAt(boundary).includes(kind)).map((boundary) => ({ boundary, kind })),
);
console.log(`${boundaries.length} boundaries, ${cases.length} cases`);
const outcomes: Outcome[] = [];
let next = 0;
await Promise.all(
  Array.from({ length: Number(lanes) }, async () => {
    while (next < cases.length) {
      const { boundary, kind } = cases[next++]!;
      let outcome = await converge(action, predecessor.dir, boundary, kind);
      for (let again = 0; again < 2 && outcome.problems.includes(faultNotReached); again += 1)
        outcome = await converge(action, predecessor.dir, boundary, kind);
      outcomes.push(outcome);
      if (outcome.problems.length > 0)
        console.log(`✗ ${nameOf(boundary)}, ${kind}: ${outcome.first}; ${outcome.problems.join("; ")}`);
      else if (outcomes.length % 20 === 0)
        console.log(`${outcomes.length} of ${cases.length}, ${((Date.now() - began) / 1000).toFixed(0)} s`);
      if (only === "" && (outcomes.length % 20 === 0 || outcomes.length === cases.length))
        writeFileSync(
          results,
          faultTable(boundaries, outcomes, cases.length, {
            lanes,
            began: new Date(began),
            minutes: (Date.now() - began) / 60_000,
          }),
        );
    }
  }),
);

const played: { name: string; problems: string[] }[] = [];
for (const trouble of troubles.filter(({ name }) => name.includes(only))) {
  const problems = await playTrouble(trouble, action, predecessor.dir).catch((error: unknown) => [String(error)]);
  played.push({ name: trouble.name, problems });
  console.log(
    `${problems.length === 0 ? "✓" : "✗"} when ${trouble.name}${problems.map((one) => `\n    ${one}`).join("")}`,
  );
}
if (only === "") appendFileSync(results, troubleTable(played));

const failed = outcomes.filter(({ problems }) => problems.length > 0);
console.log(
  `${outcomes.length - failed.length} of ${outcomes.length} converged in ${((Date.now() - began) / 1000).toFixed(0)} s`,
);
predecessor.remove();
action.remove();
process.exit(failed.length + played.filter(({ problems }) => problems.length > 0).length === 0 ? 0 : 1);
