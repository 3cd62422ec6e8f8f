import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { manifest } from "../../models/core/manifest/manifest.ts";
import { referencePages } from "../../scripts/reference.ts";

const root = join(import.meta.dirname, "../..");

describe.each(referencePages())("$path", ({ path, text }) => {
  it("is what the schema says", () => {
    expect(readFileSync(join(root, path), "utf8"), "npm run schemas writes it").toBe(text);
  });

  it("has a row for every key, and five cells in each row", () => {
    const rows = text.split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) expect(row.replaceAll("\\|", "").split("|"), row).toHaveLength(7);
  });
});

it("every key at the top of model.yaml, every kind of step and of head has its place", () => {
  const { text } = referencePages()[0]!;
  for (const key of Object.keys(manifest.shape)) if (key !== "$schema") expect(text).toContain(`| \`${key}\` |`);
  for (const kind of ["text", "tabular", "image", "tensor", "strings"]) expect(text).toContain(`\`kind: ${kind}\``);
});
