import { describe, expect, it } from "vitest";
import { figuresUnderLimits } from "../../../eval/gate/performance-evidence.ts";
import type { PlannedCheck } from "../../../eval/judge/plan-checks.ts";
import type { PerformanceFigures } from "../../../eval/schema/metrics.ts";

const limit = (max: number) =>
  ({ id: "check", policy: { kind: "limit", metric: "latency_p50_ms", max } }) as unknown as PlannedCheck;
const figuresOf = (p50Ms: number): PerformanceFigures => ({
  batches: [{ batch: 1, runs: 10, p50Ms, p95Ms: p50Ms, p99Ms: p50Ms, throughputRowsPerSecond: 1000 / p50Ms }],
  coldStartMs: 100,
  peakRssBytes: 1,
  modelBytes: 1,
  bytesPerRow: 1,
});
/** Measures these medians one after the other, and remembers for how long each time. */
function measuring(...medians: number[]) {
  const asked: (number | undefined)[] = [];
  const measure = (measureMs?: number) => {
    asked.push(measureMs);
    return Promise.resolve(figuresOf(medians[asked.length - 1] as number));
  };
  return { asked, measure };
}

describe("a limit on latency", () => {
  it("is decided by one measurement when that is within it", async () => {
    const { asked, measure } = measuring(3);
    const { figures, note } = await figuresUnderLimits([limit(20)], measure);
    expect([figures.batches[0]?.p50Ms, note, asked]).toEqual([3, null, [undefined]]);
  });

  it("is not failed by a moment in which another program had the processor", async () => {
    const { asked, measure } = measuring(20.2, 3.4);
    const { figures, note } = await figuresUnderLimits([limit(20)], measure);
    expect([figures.batches[0]?.p50Ms, asked]).toEqual([3.4, [undefined, 500]]);
    expect(note).toMatch(/measured 2 times.*p50 20\.2 ms, 3\.40 ms\)\. The first figures within the limits count/);
  });

  it("is failed by a model that is too slow every time, with its fastest figures", async () => {
    const { asked, measure } = measuring(30, 28, 29, 31);
    const { figures, note } = await figuresUnderLimits([limit(20)], measure);
    expect([figures.batches[0]?.p50Ms, asked.length]).toEqual([28, 4]);
    expect(note).toContain("All were beyond a limit; the fastest count.");
  });

  it("does not concern a relative margin", async () => {
    const margin = { id: "check", policy: { kind: "non-inferiority", metric: "latency_p50_ms", margin: 1 } };
    const { asked, measure } = measuring(30);
    await figuresUnderLimits([margin as unknown as PlannedCheck], measure);
    expect(asked.length).toBe(1);
  });
});
