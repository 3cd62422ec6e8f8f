import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unpackAction, type UnpackedAction } from "../actions/gate/runner.ts";
import { kinds, type Outcome } from "./case-file.ts";
import { play } from "./play.ts";
import { readCases } from "./read-cases.ts";
import { startServices, type Services } from "./services.ts";

const cases = readCases();
let action: UnpackedAction;
let services: Services;

beforeAll(async () => {
  action = await unpackAction({ native: true });
  services = await startServices();
});
afterAll(async () => {
  action.remove();
  await services.close();
});

describe.concurrent.each(["hostile", "honest"] as const)("%s pull requests", (intent) => {
  it.each(cases.filter((one) => one.intent === intent))("$name: $title", async (one) => {
    const problems = await play(one, { action, services });
    expect(problems, problems.join("\n")).toEqual([]);
  });
});

describe.concurrent("an outcome that is not the expected one is seen", () => {
  it.each<[name: string, outcome: Outcome, problem: RegExp]>([
    ["honest-better-model", "FAIL", /^expected FAIL, came PASS/],
    ["output-constant", "ERROR", /^expected ERROR, came FAIL/],
    ["config-deleted", "PASS", /^expected PASS, came wrong usage/],
  ])("%s is not %s", async (name, outcome, problem) => {
    const one = cases.find((other) => other.name === name)!;
    const wrong = { ...one, expected: { ...one.expected, outcome: [outcome] } };
    expect((await play(wrong, { action, services }))[0]).toMatch(problem);
  });
});

it("has at least four hostile pull requests for every kind of input, and fifteen honest ones", () => {
  const hostile = cases.filter((one) => one.intent === "hostile");
  const few = kinds.filter((kind) => hostile.filter((one) => one.kind === kind).length < 4);
  expect(few).toEqual([]);
  expect(cases.length - hostile.length).toBeGreaterThanOrEqual(15);
});
