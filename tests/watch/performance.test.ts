import { describe, expect, it } from "vitest";
import { RandomStream } from "../../eval/stats/random.ts";
import { watchPolicy } from "../../models/core/manifest/watch.ts";
import type { LabelledHead, Profile } from "../../models/profile/schema.ts";
import { labelledUnits } from "../../watch/checks/labelled-units.ts";
import { performanceChecks } from "../../watch/checks/performance.ts";

const classes: LabelledHead = { head: "h", kind: "classes", classes: ["no", "yes"], confusion: [450, 50, 50, 450] };
const errors: LabelledHead = { head: "h", kind: "errors", edges: [1, 2, 4], counts: [100, 100, 50, 0] };

const profile = (head: LabelledHead, metric: string, value: number): Profile => ({
  schemaVersion: 1,
  model: { id: "m", version: "1.0.0", sha256: "" },
  dataset: { id: "d", digest: "", rows: 1000 },
  rows: { answered: 1000, refused: 0, observed: 1000 },
  variables: [],
  left: 0,
  labels: [head],
  performance: [{ head: "h", metric, value, interval: null, unit: "fraction", n: 1000 }],
});

const right = (n: number, wrong: number) => [n, 0, wrong, 0];
/** Hours of one day that is not over. */
const cohorts = (hours: readonly number[][]) => ({
  hours: hours.map((one, i) => ({ hour: `2026-03-01T${String(i).padStart(2, "0")}`, labelled: [one] })),
  due: "2026-03-01T22",
});
const judged = (hours: number[][], policy = {}) =>
  performanceChecks(profile(classes, "accuracy", 0.9), cohorts(hours), null, watchPolicy({ labels: policy })).checks;

describe("figures by labels", () => {
  it.each([
    ["kept", right(2700, 300), "PASS", false],
    ["broken", right(2100, 900), "FAIL", false],
    ["too few", right(45, 5), "INCONCLUSIVE", true],
    ["not decided yet", right(170, 30), "INCONCLUSIVE", true],
    ["none", right(0, 0), "INCONCLUSIVE", true],
  ] as const)("accuracy that is %s: %j is %s", (_, hour, verdict, advisory) => {
    expect(judged([[...hour]])).toMatchObject([{ metric: "accuracy", kind: "non-inferiority", verdict, advisory }]);
  });

  it("that are required decide when they are missing", () => {
    expect(judged([], { required: true })).toMatchObject([{ verdict: "INCONCLUSIVE", advisory: false }]);
  });

  it("follow the gate's limits and margins, and a candidate's superiority is a live model's non-inferiority", () => {
    const { checks } = performanceChecks(
      profile(classes, "accuracy", 0.9),
      cohorts([right(2700, 300)]),
      {
        alpha: 0.05,
        minimumPerClass: 30,
        onInsufficient: "fail",
        checks: [
          { kind: "limit", metric: "accuracy", slices: [], min: 0.95, confident: false },
          { kind: "superiority", metric: "accuracy", slices: [], margin: 0 },
          { kind: "non-inferiority", metric: "auroc", slices: [], margin: 0.01 },
          { kind: "limit", metric: "accuracy", slices: ["region"], min: 0.99, confident: false },
        ],
      },
      watchPolicy(),
    );
    expect(checks.map(({ id, verdict }) => [id, verdict])).toEqual([
      ["accuracy[h]/limit#0", "FAIL"],
      ["accuracy[h]/non-inferiority#1", "INCONCLUSIVE"],
    ]);
  });

  it("of numbers are bounded by their cells: the true mean lies within", () => {
    const { low, high, scale, n } = labelledUnits(errors, [[60, 30, 10, 0]]);
    const mean = (values: Float64Array) => (scale * values.reduce((sum, value) => sum + value, 0)) / n;
    expect([mean(low), mean(high)]).toEqual([(30 * 1 + 10 * 2) / 100, (60 * 1 + 30 * 2 + 10 * 4) / 100]);
  });

  it("of numbers that grow break the default margin", () => {
    const { checks } = performanceChecks(
      profile(errors, "mae", 1.1),
      cohorts([[0, 100, 900, 2000]]),
      null,
      watchPolicy(),
    );
    expect(checks[0]).toMatchObject({ metric: "mae", direction: "lower", verdict: "FAIL" });
  });

  it("are called worse in no more than 15 of 200 streams of 12 looks, although the loss is the whole margin", () => {
    const random = new RandomStream(3);
    let alarms = 0;
    for (let stream = 0; stream < 200; stream++) {
      const hours: number[][] = [];
      for (let look = 0; look < 12; look++) {
        let wrong = 0;
        for (let i = 0; i < 60; i++) wrong += Number(random.next() / 2 ** 32 < 0.15);
        hours.push(right(60 - wrong, wrong));
        if (judged(hours)[0]!.verdict === "FAIL") {
          alarms++;
          break;
        }
      }
    }
    expect(alarms).toBeLessThanOrEqual(15);
  });
});
