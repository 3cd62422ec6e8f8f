import { expect, it } from "vitest";
import { parseCase } from "./read-cases.ts";

const good = `title: A weak model
intent: hostile
kind: outputs
why: It is worse.
change:
  - weights: {model: models/fares, to: [0, 0, 0]}
expected: {outcome: FAIL}
`;

it("fills in what a case leaves out", () => {
  expect(parseCase(good, "case.yaml")).toMatchObject({
    start: ["taxi"],
    event: "pull_request",
    checkout: { depth: "full", lfs: "files", submodules: false },
    expected: { outcome: ["FAIL"], gated: true },
  });
});

it.each([
  ["a word that is no outcome", "outcome: FAIL", "outcome: RED", /case\.yaml:7:\d+[^]*outcome/],
  [
    "a hostile pull request that may pass",
    "outcome: FAIL",
    "outcome: [FAIL, PASS]",
    /hostile pull request is never PASS/,
  ],
  ["two steps in one", "  - weights", "  - remove: [a]\n    weights", /exactly one of write, edit, remove/],
  ["a step that there is not", "- weights", "- shell", /case\.yaml:6:5[^]*shell/],
  ["a path outside the repository", "models/fares", "../../etc", /inside the repository/],
  ["a kind that there is not", "kind: outputs", "kind: magic", /case\.yaml:3:\d+[^]*kind/],
  ["no reason", "why: It is worse.\n", "", /why/],
])("refuses %s, with the place", (_, from, to, message) => {
  expect(() => parseCase(good.replace(from, to), "case.yaml")).toThrow(message);
});
