import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Progress, progressions, type ProgressState } from "../../deploy/progress.ts";
import { repositoryRoot } from "../actions/gate/runner.ts";

const states = Object.keys(progressions) as ProgressState[];

/** A progress that has come to a state by the shortest way. */
function at(state: ProgressState): Progress {
  const ways: ProgressState[][] = [["nothing-sent"]];
  for (const way of ways) {
    if (way.at(-1) === state) {
      const progress = new Progress();
      for (const one of way) progress.enter(one);
      return progress;
    }
    for (const next of progressions[way.at(-1)!]) if (!way.includes(next)) ways.push([...way, next]);
  }
  throw new Error(`nothing leads to ${state}`);
}

it("may end before anything was sent, and then only where it is known what serves or that nobody knows", () => {
  const ends = ["nothing-sent", "live", "undone", "failed", "overtaken", "unknown"];
  expect(states.filter((state) => at(state).mayEnd).toSorted()).toEqual(ends.toSorted());
});

it("takes no step that the table does not have", () => {
  for (const from of states)
    for (const to of states) {
      const allowed = from === to || (progressions[from] as readonly ProgressState[]).includes(to);
      const step = () => {
        at(from).enter(to);
      };
      if (allowed) expect(step).not.toThrow();
      else expect(step).toThrow(`a deployment cannot go from ${from} to ${to}`);
    }
});

it("is the table of docs/deploy.md", () => {
  const text = readFileSync(join(repositoryRoot, "docs/deploy.md"), "utf8");
  const rows = [...text.matchAll(/^\| `([\w-]+)` \| [^|]+ \| ([^|]+) \|$/gm)]
    .filter(([, state]) => states.some((one) => one === state))
    .map(([, state, next]) => [state, [...next!.matchAll(/`([\w-]+)`/g)].map((one) => one[1])]);
  expect(Object.fromEntries(rows)).toEqual(progressions);
});
