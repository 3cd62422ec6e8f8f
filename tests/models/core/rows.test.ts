import { describe, expect, it } from "vitest";
import { z } from "zod";
import { manifest } from "../../../models/core/manifest/manifest.ts";
import { rowSchema } from "../../../models/core/manifest/rows.ts";
import { linearManifest, sequenceManifest } from "./build.ts";

const tabular = manifest.parse(
  linearManifest({
    preprocess: {
      row: {
        kind: "tabular",
        columns: {
          n: { type: "number", min: 0 },
          b: { type: "boolean", missing: { fill: 0 } },
          d: { type: "date" },
          s: { type: "string" },
          l: { type: "number-list", length: 2 },
        },
        features: [
          { column: "n", encode: "number" },
          { column: "l", encode: "list" },
        ],
      },
    },
  }),
);

describe("the schema of a row", () => {
  it("follows the preprocessing", () => {
    expect(z.toJSONSchema(rowSchema(manifest.parse(sequenceManifest("sequence.onnx"))))).toMatchObject({
      type: "object",
      required: ["text"],
      properties: { text: { type: "string", maxLength: 20_000 } },
    });
    const schema = rowSchema(tabular);
    expect(schema.safeParse({ n: 1, d: "2024-02-29", s: "x", l: [1, 2], further: true }).success).toBe(true);
    const optional = rowSchema({
      preprocess: {
        table: {
          ...(tabular.preprocess["row"] as object),
          kind: "tabular",
          columns: { there: { type: "present", field: "image" } },
          derive: {},
          features: [{ column: "there", encode: "number" }],
        },
        ...manifest.shape.preprocess.parse({
          picture: { kind: "image", urls: true, resize: { width: 1, height: 1 }, missing: { placeholder: "#808080" } },
          words: { kind: "text", append: ["more"] },
        }),
      },
    });
    expect(z.toJSONSchema(optional, { io: "input" })).toMatchObject({
      required: ["text"],
      properties: {
        image: { anyOf: [{ type: "string", description: expect.stringContaining("http(s) URL") }, { type: "null" }] },
      },
    });
    for (const [row, fits] of [
      [{ text: "a" }, true],
      [{ text: "a", image: null, more: null }, true],
      [{ text: "a", image: 5 }, false],
      [{ text: "a", more: 5 }, false],
    ] as const) {
      expect(optional.safeParse(row).success).toBe(fits);
    }
    for (const wrong of [{ n: -1 }, { n: "1" }, { d: "2023-02-29" }, { l: [1] }])
      expect(schema.safeParse({ n: 1, d: "2024-02-29", s: "x", l: [1, 2], ...wrong }).success).toBe(false);
  });
});
