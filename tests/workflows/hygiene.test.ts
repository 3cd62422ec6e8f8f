import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { repositoryRoot } from "../actions/gate/runner.ts";
import { findingsOf } from "./rules.ts";
import { ignored, openTools, type Diagnostic } from "./tools.ts";

const folder = ".github/workflows";
const workflows = readdirSync(join(repositoryRoot, folder)).map((name) => ({
  path: `${folder}/${name}`,
  text: readFileSync(join(repositoryRoot, folder, name), "utf8"),
}));

const said = new Map<string, Diagnostic[]>();
beforeAll(async () => {
  const diagnosticsOf = await openTools();
  for (const { path, text } of workflows) said.set(path, await diagnosticsOf(path, text));
});

it("there are workflows", () => {
  expect(workflows.length).toBeGreaterThanOrEqual(4);
});

describe.each(workflows)("$path", ({ path, text }) => {
  it("keeps our rules", () => {
    expect(findingsOf(text)).toEqual([]);
  });

  it("passes GitHub's language service and actionlint", () => {
    expect(said.get(path)?.filter(({ message }) => !ignored.some((one) => one.message.test(message)))).toEqual([]);
  });
});

it("the image library that workflows install is the one of the tests", () => {
  const { dependencies } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const named = workflows.flatMap(({ text }) => [...text.matchAll(/sharp@([\w.-]+)/g)].map(([, version]) => version));
  expect(named).toEqual([dependencies["sharp"], dependencies["sharp"]]);
});

it.each(ignored)("$reason", ({ message }) => {
  expect([...said.values()].flat().some((one) => message.test(one.message))).toBe(true);
});
