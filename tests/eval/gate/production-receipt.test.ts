import { describe, expect, it } from "vitest";
import { productionReceiptOf, receiptDrift } from "../../../eval/gate/production-receipt.ts";
import type { Measurement, ModelMetrics } from "../../../eval/schema/metrics.ts";
import { productionReceiptFile } from "../../../eval/schema/production-receipt.ts";
import { modelMetrics, modelVerdict } from "../report/builders.ts";

const measurement = (value: number, options: Measurement["options"] = {}): Measurement => ({
  metric: "precision_at_k",
  options,
  head: "mood",
  slice: "all",
  unit: "",
  direction: "higher",
  result: { status: "ok", value, interval: null, n: 28 },
});
const metrics = (...measurements: Measurement[]): ModelMetrics => modelMetrics({ measurements });
const both = metrics(measurement(0.45), measurement(0.26, { per: "entity" }));

describe("the receipt of a production version", () => {
  it("holds figures under default options only, because it has no place for others", () => {
    const receipt = productionReceiptOf(modelVerdict(), both, "1.0.0");
    expect(productionReceiptFile.safeParse(receipt).success).toBe(true);
    expect(receipt.metrics.map(({ value }) => value)).toEqual([0.45]);
  });
  it("drifts from nothing where the figures are the same, and says which one is not", () => {
    const receipt = productionReceiptOf(modelVerdict(), both, "1.0.0");
    expect(receiptDrift(receipt, both)).toBeNull();
    const changed = metrics(measurement(0.44), measurement(0.26, { per: "entity" }));
    expect(receiptDrift(receipt, changed)).toMatch(/receipt says precision_at_k 0\.45 on these rows; here it is 0\.44/);
  });
});
