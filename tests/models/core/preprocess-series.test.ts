import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../models/core/errors.ts";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { compilePipeline } from "../../../models/core/predictor/pipeline.ts";
import { compileStep } from "../../../models/core/preprocess/compile-step.ts";
import type { CompiledStep, Prepared } from "../../../models/core/preprocess/compiled.ts";
import { preprocessStep } from "../../../models/core/preprocess/schema.ts";
import { RowError } from "../../../models/core/row.ts";
import { root } from "../../spaces/server/harness.ts";

const compiled = (more: object = {}): CompiledStep =>
  compileStep(preprocessStep.parse({ kind: "series", minLength: 2, maxLength: 4, ...more }), {}, (path) =>
    ["past", ...path].join("."),
  );
const tensors = (step: CompiledStep, ...histories: unknown[]) =>
  step.collate(histories.map((history) => step.prepare({ history }) as Prepared));

describe("a series", () => {
  it.each([
    ["shorter than the graph takes stands at the end", [5, 6], {}, [0, 0, 5, 6], 2],
    ["is padded with what the manifest says", [5, 6], { pad: -1 }, [-1, -1, 5, 6], 2],
    ["longer than the graph takes keeps its newest values", [1, 2, 3, 4, 5, 6], {}, [3, 4, 5, 6], 4],
    ["may be a typed array", Float32Array.of(1, 2, 3), {}, [0, 1, 2, 3], 3],
  ])("%s", (_, history, more, values, length) => {
    const made = tensors(compiled(more), history);
    expect([Array.from(made["values"]!.data), Array.from(made["length"]!.data)]).toEqual([values, [length]]);
  });

  it("goes with others of another length into one batch", () => {
    const made = tensors(compiled(), [1, 2], [1, 2, 3]);
    expect([made["values"]!.dims, made["length"]!.dims]).toEqual([
      [2, 4],
      [2, 1],
    ]);
    expect(Array.from(made["values"]!.data)).toEqual([0, 0, 1, 2, 0, 1, 2, 3]);
  });

  it.each([
    ["is missing", undefined, "history", /missing/],
    ["is no list", 7, "history", /not a list/],
    ["is too short", [1], "history", /too short.*2 or more.*1 values/s],
    ["holds a text", [1, "2", 3], "history[1]", /finite number/],
    ["holds a gap", [1, null, 3], "history[1]", /finite number/],
    ["holds a value below the least", [1, 2, -3, 4, 5, 6], "history[2]", /from 0/],
  ])("that %s is refused with its place", (_, history, field, problem) => {
    const step = compiled({ min: 0 });
    const ask = () => step.prepare({ history });
    expect(ask).toThrow(RowError);
    expect(ask).toThrow(problem);
    expect(ask).toThrow(expect.objectContaining({ field }));
  });

  it("does not look at values that it leaves out", () => {
    expect(Array.from(tensors(compiled({ min: 0 }), [-9, 1, 2, 3, 4])["values"]!.data)).toEqual([1, 2, 3, 4]);
  });

  it("that needs more values than the graph takes is refused before any row", () => {
    expect(() => compiled({ minLength: 5 })).toThrow(ConfigurationError);
    expect(() => compiled({ minLength: 5 })).toThrow(/past\.minLength/);
  });

  it("takes the direct path with both of its outputs, with the same feeds", async () => {
    const pipeline = compilePipeline(await loadManifest(`${root}/models/forecasting`), {});
    const rows = [36, 100, 200].map((size) => ({ history: Array.from({ length: size }, (_, t) => 1 + (t % 12)) }));
    const batch = pipeline.direct!.begin(rows.length);
    rows.forEach((row, i) => batch.put(row, i));
    expect(batch.feeds(3)).toEqual(pipeline.feeds(await Promise.all(rows.map(async (row) => pipeline.prepare(row)))));
    expect(Array.from(batch.feeds(3)["length"]!.data as Float32Array)).toEqual([36, 100, 144]);
  });
});
