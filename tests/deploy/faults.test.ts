import { afterAll, beforeAll, it, vi } from "vitest";
import { nameOf, type Boundary, type Kind } from "./faults/boundaries.ts";
import { converge } from "./faults/converge.ts";
import { makePredecessor } from "./faults/predecessor.ts";
import { unpackDeployAction, type DeployAction } from "./stage.ts";

// The most difficult cases of the whole table, which `npm run faults` plays.
const api = "/api/spaces/octo/births";
const repo = "/repos/octo/models";
const sample: [Boundary, Kind][] = [
  [{ scenario: "plain", server: "hub", method: "POST", route: `${api}/commit/main`, nth: 1 }, "reset-after"],
  [{ scenario: "plain", server: "hub", method: "POST", route: `${api}/commit/main`, nth: 1 }, "kill-after"],
  [{ scenario: "broken", server: "hub", method: "POST", route: `${api}/commit/main`, nth: 2 }, "kill-before"],
  [
    { scenario: "large", server: "hub", method: "POST", route: "/api/models/octo/births/commit/main", nth: 1 },
    "kill-after",
  ],
  [{ scenario: "plain", server: "hub", method: "GET", route: `${api}/runtime`, nth: 2 }, "hang"],
  [{ scenario: "plain", server: "github", method: "POST", route: `${repo}/git/refs`, nth: 1 }, "reset-after"],
  [{ scenario: "plain", server: "github", method: "POST", route: `${repo}/deployments`, nth: 1 }, "kill-before"],
  [{ scenario: "plain", server: "app", method: "POST", route: "/predict", nth: 2 }, "error"],
];

// These tests start processes and may be slow on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

let action: DeployAction;
let predecessor: { dir: string; remove: () => void };
beforeAll(async () => {
  action = await unpackDeployAction();
  predecessor = await makePredecessor(action);
});
afterAll(() => {
  action.remove();
  predecessor.remove();
});

it.concurrent.for(sample.map(([boundary, kind]) => ({ name: `${nameOf(boundary)}, ${kind}`, boundary, kind })))(
  "after $name: the next run ends in the one final state",
  async ({ boundary, kind }, { expect }) => {
    expect((await converge(action, predecessor.dir, boundary, kind)).problems).toEqual([]);
  },
);
