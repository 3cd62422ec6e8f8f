import fc from "fast-check";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { compilePipeline } from "../../../models/core/predictor/pipeline.ts";
import { compileHead } from "../../../models/core/postprocess/head.ts";
import { headsWriter } from "../../../models/core/postprocess/heads-json.ts";
import {
  head,
  type ClassificationHead,
  type Head,
  type RegressionHead,
} from "../../../models/core/postprocess/schema.ts";
import { RowError, type Row } from "../../../models/core/row.ts";
import { preprocessStep, type PreprocessStep } from "../../../models/core/preprocess/schema.ts";
import { rowChecker, rowSchema } from "../../../models/core/manifest/rows.ts";

const births = await loadManifest(join(import.meta.dirname, "../../../models/births"));
const pipeline = compilePipeline(births, {});
const day = fc
  .date({ min: new Date("1990-01-01"), max: new Date("2030-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const usable = fc.record({
  date: day,
  history: fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 28, maxLength: 28 }),
});

describe("rows of plain numbers", () => {
  it("become the same feeds on the direct path as on the general one, to the bit, and bad rows leave no trace", async () => {
    const rows = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: usable as fc.Arbitrary<Row> },
        {
          weight: 1,
          arbitrary: fc.constantFrom<Row>(
            {},
            { date: "2001-02-30", history: [] },
            { date: "2001-02-03", history: Array.from({ length: 28 }, () => 1e300) },
          ),
        },
      ),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(rows, async (all) => {
        const batch = pipeline.direct!.begin(all.length);
        const good = [];
        for (const row of all) {
          const prepared = await pipeline.prepare(row).catch((error: unknown) => error as RowError);
          if (prepared instanceof Error) {
            let thrown: unknown = null;
            try {
              batch.put(row, good.length);
            } catch (error) {
              thrown = error;
            }
            expect(thrown).toBeInstanceOf(RowError);
            expect((thrown as RowError).diagnostic).toEqual(prepared.diagnostic);
          } else {
            batch.put(row, good.length);
            good.push(prepared);
          }
        }
        if (good.length > 0) expect(batch.feeds(good.length)).toEqual(pipeline.feeds(good));
        batch.release();
      }),
      { numRuns: 60 },
    );
  });

  it("have no direct path when a step makes anything but plain numbers", async () => {
    const mood = await loadManifest(join(import.meta.dirname, "../../../models/mood"));
    const { readModelFiles } = await import("../../../models/core/predictor/model-files.ts");
    expect(compilePipeline(mood, (await readModelFiles(mood)).steps).direct).toBeNull();
  });
});

describe("the fast row check", () => {
  const steps = [
    { kind: "tensor", field: "x", shape: [2, 2] },
    { kind: "tensor", field: "x", shape: [] },
    { kind: "tensor", field: "x", shape: [3] },
    { kind: "series", field: "x", minLength: 2, maxLength: 3, min: 1 },
    { kind: "text", field: "x", maxCharacters: 3, maxTokens: 8 },
    { kind: "image", field: "x" },
    {
      kind: "tabular",
      columns: { x: { type: "number", missing: "reject", min: 0, max: 5 } },
      features: [{ column: "x", encode: "number" }],
    },
    {
      kind: "tabular",
      columns: { x: { type: "number", missing: { fill: 1 } } },
      features: [{ column: "x", encode: "number" }],
    },
    {
      kind: "tabular",
      columns: { x: { type: "boolean", missing: "reject" } },
      features: [{ column: "x", encode: "number" }],
    },
    {
      kind: "tabular",
      columns: { x: { type: "date", missing: "reject" } },
      derive: { y: "year(x)" },
      features: [{ column: "y", encode: "number" }],
    },
    {
      kind: "tabular",
      columns: { x: { type: "number-list", length: 2 } },
      features: [{ column: "x", encode: "list" }],
    },
  ].map((step): PreprocessStep => preprocessStep.parse(step));
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      0,
      5,
      6,
      -1,
      1.5,
      "",
      "abc",
      "abcd",
      true,
      null,
      undefined,
      "2001-02-28",
      "2001-02-29",
      "2000-02-29",
      "0000-02-29",
      [1, 2],
      [
        [1, 2],
        [3, 4],
      ],
      [1, 2, 3],
      [1, "2"],
      Infinity,
      NaN,
    ),
    fc.jsonValue(),
  );
  it.each(steps.map((step, i) => [i, step.kind, step] as const))(
    "%i: never accepts a %s row that the schema refuses, and accepts the usual ones",
    (_, kind, step) => {
      const accepts = rowChecker({ preprocess: { step } });
      const schema = rowSchema({ preprocess: { step } });
      let yes = 0;
      fc.assert(
        fc.property(
          fc.oneof(
            value.map((x) => ({ x })),
            fc.jsonValue(),
          ),
          (row) => {
            if (!accepts(row)) return;
            yes++;
            expect(schema.safeParse(row).success).toBe(true);
          },
        ),
        { numRuns: 400 },
      );
      expect(yes, kind).toBeGreaterThan(0);
    },
  );
});

describe("an answer's heads as text", () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const name = fc.constantFrom("mood", 'a "quoted" one', "ü\u2028", "7", "__proto__", "");
  it("are byte for byte what JSON.stringify gives", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
        fc.uniqueArray(name, { minLength: 2, maxLength: 4 }),
        fc.array(number, { minLength: 4, maxLength: 4 }),
        (names, labels, numbers) => {
          const heads: Head[] = names.map((one, i) =>
            head.parse(
              i % 2 === 0
                ? { name: one || "h", from: "o", kind: "classification", activation: "softmax", labels }
                : { name: one || "h", from: "o", kind: "regression" },
            ),
          );
          if (new Set(heads.map((one) => one.name)).size < heads.length) return;
          const results = Object.fromEntries(
            heads.map((one) => [
              one.name,
              compileHead(one as ClassificationHead | RegressionHead, () => "", null).read(
                one.kind === "regression" ? [numbers[0]!] : numbers.slice(0, labels.length),
                "row",
              ),
            ]),
          );
          expect(headsWriter(heads)(results)).toBe(JSON.stringify(results));
        },
      ),
    );
  });
});
