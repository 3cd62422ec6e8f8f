import { describe, expect, it } from "vitest";
import { checksPicture } from "../../../bot/card/picture/checks-picture.ts";
import { wrapped } from "../../../bot/card/picture/svg.ts";
import { watchPicture } from "../../../bot/card/picture/watch-picture.ts";
import { pngOf } from "../../../bot/telegram/png.ts";
import type { Check, ModelVerdict } from "../../../eval/schema/verdict.ts";
import { watchCheck } from "../../../watch/checks/check.ts";
import type { WatchCheck, WatchedModel } from "../../../watch/schema/verdict.ts";

const mae = (own: Partial<WatchCheck> = {}): WatchCheck =>
  watchCheck({
    id: "mae[fare]/non-inferiority",
    metric: "mae",
    group: "performance",
    head: "fare",
    kind: "non-inferiority",
    observed: 0.7,
    baseline: 0.57,
    margin: 0.11,
    direction: "lower",
    n: 900,
    verdict: "FAIL",
    reason: "worse since 2026-10-27",
    advisory: false,
    ...own,
  });
const days = (values: readonly number[]) =>
  values.map((value, i) => ({ day: new Date(Date.UTC(2026, 8, 1 + i)).toISOString().slice(0, 10), n: 10, value }));
const live = (own: Partial<WatchedModel>): WatchedModel => ({
  model: { id: "fares", version: "1.1.0", sha256: "" },
  url: [],
  profile: null,
  window: null,
  labels: [],
  events: [],
  verdict: "FAIL",
  reason: "",
  checks: [],
  figures: [],
  distributions: [],
  notes: [],
  ...own,
});
const count = (svg: string | null, what: RegExp) => [...(svg ?? "").matchAll(what)].length;

describe("the picture of an alert", () => {
  it("shows the figure by day, with what the gate measured and what must be kept; what is beyond is red", () => {
    const figures = [{ head: "fare", metric: "mae", days: days([0.5, 0.6, 0.9, 1]) }];
    const svg = watchPicture(live({ checks: [mae()], figures }));
    expect(count(svg, /<circle /g)).toBe(4);
    expect(count(svg, /<circle [^>]*#b91c1c/g)).toBe(2);
    expect(svg).toContain("gate 0.570");
    expect(svg).toContain("limit 0.680");
    expect(svg).toContain("by day, 40 labels");
  });

  it("shows accuracy that fell below its limit", () => {
    const check = mae({
      metric: "accuracy",
      kind: "limit",
      direction: "higher",
      baseline: null,
      margin: null,
      limit: { min: 0.8, max: null, confident: true },
    });
    const figures = [{ head: "fare", metric: "accuracy", days: days([0.9, 0.7]) }];
    expect(count(watchPicture(live({ checks: [check], figures })), /<circle [^>]*#b91c1c/g)).toBe(1);
  });

  it("puts many days into forty points, weighted by their labels", () => {
    const many = days(Array.from({ length: 100 }, (_, i) => i));
    const svg = watchPicture(live({ checks: [mae()], figures: [{ head: "fare", metric: "mae", days: many }] }));
    expect(count(svg, /<circle /g)).toBe(34);
    expect(svg).toContain("mean of 3 days, 1,000 labels");
  });

  it("shows the shares of an answer that drifted, twelve cells at most", () => {
    const check = mae({ group: "answers", metric: "psi", head: null, variable: "fare.value" });
    const cells = Array.from({ length: 15 }, (_, i) => `${i} to ${i + 1}`);
    const counts = cells.map(() => 10);
    const svg = watchPicture(
      live({ checks: [check], distributions: [{ variable: "fare.value", cells, reference: counts, live: counts }] }),
    );
    expect(count(svg, />7</g)).toBe(22);
    expect(svg).toContain("others");
    expect(count(svg, />27</g)).toBe(2);
  });

  it("is none where nothing was measured", () => {
    expect(watchPicture(live({}))).toBeNull();
    expect(watchPicture(live({ checks: [mae()] }))).toBeNull();
    expect(
      watchPicture(live({ checks: [mae()], figures: [{ head: "fare", metric: "mae", days: days([1]) }] })),
    ).toBeNull();
  });

  it("draws a constant figure and outside text that looks like markup", async () => {
    const reason = '</text><script>alert(1)</script> & "x" \u202e'.repeat(40);
    const svg = watchPicture(
      live({
        checks: [mae({ reason, baseline: null, margin: null })],
        figures: [{ head: "fare", metric: "mae", days: days([1, 1, 1]) }],
      }),
    );
    expect(svg).not.toContain("<script");
    expect(svg).not.toContain("NaN");
    expect((await pngOf(svg!))?.subarray(1, 4).toString()).toBe("PNG");
  });
});

describe("the picture of a candidate's checks", () => {
  const check = (own: Partial<Check>): Check => ({
    ...(mae() as unknown as Check),
    difference: -0.1,
    interval: { low: -0.2, high: 0, level: 0.9, method: "t" },
    ...own,
  });
  const judged = (checks: Check[]) =>
    ({ model: { id: "fares", version: "1.2.0" }, verdict: "FAIL", checks }) as unknown as ModelVerdict;

  it("shows at most six checks that compare, worst first, and none of those that only inform", () => {
    const passed = Array.from({ length: 8 }, (_, i) => check({ verdict: "PASS", metric: `m${i}` as Check["metric"] }));
    const svg = checksPicture(judged([...passed, check({ verdict: "FAIL" }), check({ advisory: true })]));
    expect(count(svg, /<circle /g)).toBe(6);
    expect(svg!.indexOf("FAIL mae")).toBeLessThan(svg!.indexOf("PASS m0"));
  });

  it("is none without a baseline", () => {
    expect(checksPicture(judged([check({ kind: "limit" }), check({ difference: null })]))).toBeNull();
  });
});

it("breaks lines at words, and cuts the last one", () => {
  expect(wrapped("one two three four five six", 200, 2)).toHaveLength(2);
  expect(wrapped("one two three four five six", 200, 2).at(-1)).toMatch(/…$/);
  expect(wrapped("", 200, 2)).toEqual([]);
});

it("what cannot be drawn is no picture", async () => {
  expect(await pngOf("<svg")).toBeNull();
});
