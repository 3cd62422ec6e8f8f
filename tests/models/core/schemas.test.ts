import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { generateSchemas } from "../../../scripts/schemas.ts";
import { linearManifest, sequenceManifest } from "./build.ts";

const root = join(import.meta.dirname, "../../..");
const generated = generateSchemas();

it.each(Object.keys(generated))("the committed %s is up to date (npm run schemas)", (name) => {
  expect(readFileSync(join(root, "schemas", name), "utf8")).toBe(generated[name]);
});

describe("the published schema of model.yaml", () => {
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(generated["model.schema.json"]!) as object);

  const errorsOf = (value: unknown) => (validate(value) ? [] : (validate.errors ?? []));

  it.each([
    ["linear", linearManifest()],
    ["sequence", sequenceManifest("sequence.onnx")],
  ])("accepts %s, defaults left out", (_, manifest) => {
    expect(errorsOf(manifest)).toEqual([]);
  });

  it.each(["births", "mood", "mood/int8", "reply"].filter((id) => existsSync(join(root, "models", id, "model.yaml"))))(
    "accepts models/%s",
    (id) => {
      expect(errorsOf(parse(readFileSync(join(root, "models", id, "model.yaml"), "utf8")))).toEqual([]);
    },
  );

  it("refuses an unknown key", () => {
    expect(validate({ ...linearManifest(), nonsense: 1 })).toBe(false);
  });
});
