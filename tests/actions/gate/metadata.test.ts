import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { bundles } from "../../../scripts/build/bundle.ts";
import { actions, documents, metadataOf, withTables } from "../../../scripts/build/action-metadata.ts";
import { repositoryRoot } from "./runner.ts";

type ActionFile = { inputs: unknown; outputs: unknown; runs: { using: string; main: string } };

describe.each(actions)("$folder/action.yml", (action) => {
  const file = parse(readFileSync(join(repositoryRoot, action.folder, "action.yml"), "utf8")) as ActionFile;

  it("has the inputs, defaults, descriptions and outputs of the code, in that order", () => {
    expect(JSON.stringify({ inputs: file.inputs, outputs: file.outputs }, null, 1)).toBe(
      JSON.stringify(metadataOf(action), null, 1),
    );
  });

  it("has at most thirteen inputs", () => {
    expect(Object.keys(file.inputs as object).length).toBeLessThanOrEqual(13);
  });

  it("runs a bundle that is built, on the runtime that GitHub has", () => {
    expect(file.runs.using).toBe("node24");
    const main = join(action.folder, file.runs.main);
    const built = bundles.flatMap(({ dist, entries }) => Object.keys(entries).map((name) => join(dist, `${name}.js`)));
    expect(built).toContain(main);
    expect(existsSync(join(repositoryRoot, main))).toBe(true);
  });
});

it("the tables of the documentation are those of the code", () => {
  const texts = documents.map((path) => readFileSync(join(repositoryRoot, path), "utf8"));
  for (const text of texts) expect(withTables(text)).toBe(text);
  const text = texts.join("\n");
  for (const { inputs } of actions)
    for (const name of Object.keys(inputs.shape)) expect(text).toContain(`| \`${name}\` |`);
});
