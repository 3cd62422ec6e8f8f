import { describe, expect, it } from "vitest";
import { compileStrings } from "../../../models/core/preprocess/strings.ts";

describe("a strings step", () => {
  const step = compileStrings({ kind: "strings", fields: ["colour", "size"], missing: "reject" });

  it("hands texts on in the order of its fields, numbers and booleans as texts", async () => {
    const rows = await Promise.all([
      step.prepare({ size: "L", colour: "red" }),
      step.prepare({ colour: 7, size: true }),
    ]);
    expect(step.texts!(rows)).toEqual({ values: { texts: ["red", "L", "7", "true"], dims: [2, 2] } });
    expect(step.shapes).toEqual({ values: [2] });
  });

  it.each([
    [{ colour: "red" }, /size/],
    [{ colour: "red", size: null }, /size/],
    [{ colour: ["red"], size: "L" }, /colour/],
  ])("refuses %j", (row, message) => {
    expect(() => step.prepare(row)).toThrow(message);
  });

  it("fills what is missing where the manifest says with what", () => {
    const filled = compileStrings({ kind: "strings", fields: ["colour"], missing: { fill: "none" } });
    expect(filled.prepare({})).toEqual({ kind: "strings", values: ["none"] });
  });
});
