import { describe, expect, it } from "vitest";
import { nextOf, type Wish } from "../../../deploy/rollout/next.ts";
import { rolloutSettings } from "../../../models/core/rollout/settings.ts";
import type { RolloutDecision, RolloutStatus } from "../../../models/core/rollout/status.ts";

const decide = (action: RolloutDecision["action"]): RolloutDecision => ({
  action,
  verdict: action === "PROMOTE" ? "PASS" : action === "ABORT" ? "FAIL" : "INCONCLUSIVE",
  metric: null,
  reason: `because ${action}`,
});

const status = (step: number, action: RolloutDecision["action"], more: Partial<RolloutStatus> = {}): RolloutStatus => ({
  schemaVersion: 1,
  rollout: "r",
  model: "m",
  instance: "i",
  baseline: { version: "1" },
  candidate: { version: "2", state: "ready", reason: null },
  steps: [
    { name: "shadow", share: 0, approve: false },
    { name: "canary 50 %", share: 0.5, approve: true },
  ],
  step,
  startedAt: null,
  stepAt: null,
  decision: decide(action),
  evidence: [],
  rows: { baseline: 0, candidate: 0, candidateTotal: 0 },
  units: { baseline: 0, candidate: 0, log10Mismatch: 0 },
  shadow: { compared: 0, shed: 0, waiting: 0 },
  handedBack: null,
  ...more,
});

const settings = rolloutSettings.parse({ steps: ["shadow", { at: "50 %", approve: true }], restarts: 2 });
const noted = (step: number, more = {}) => ({
  step,
  instance: "i",
  restarts: 0,
  state: { some: 1 },
  waitsFor: null,
  ...more,
});
const asks = (does: NonNullable<Wish>["does"], reason = ""): Wish => ({ does, by: "omar", reason });

describe("what a controller does next", () => {
  it("begins, goes on by evidence, waits for a person, and promotes", () => {
    expect(nextOf(noted(-1), status(-1, "WAIT"), settings, null)).toMatchObject({ kind: "begin", step: 0 });
    expect(nextOf(noted(0), status(0, "CONTINUE"), settings, null)).toMatchObject({ kind: "nothing" });
    expect(nextOf(noted(0), status(0, "PAUSE"), settings, null)).toMatchObject({ kind: "nothing" });
    expect(nextOf(noted(0), status(0, "NEXT"), settings, null)).toMatchObject({ kind: "wait", step: 1 });
    expect(nextOf(noted(0), status(0, "NEXT"), settings, asks("promote"))).toMatchObject({
      kind: "begin",
      step: 1,
      words: "canary 50 %: approved by omar",
    });
    expect(nextOf(noted(1), status(1, "PROMOTE"), settings, null)).toMatchObject({ kind: "promote" });
    expect(nextOf(noted(1), status(1, "PROMOTE"), { ...settings, approveAll: true }, null)).toMatchObject({
      kind: "wait",
      step: 2,
    });
  });

  it("lets only an override go against the evidence", () => {
    const refused = nextOf(noted(1), status(1, "CONTINUE"), settings, asks("promote"));
    expect(refused).toMatchObject({
      kind: "nothing",
      words: "not promoted, an override would be needed: because CONTINUE",
    });
    expect(nextOf(noted(1), status(1, "PAUSE"), settings, asks("override", "now"))).toMatchObject({
      kind: "promote",
      words: "overridden by omar: now",
    });
  });

  it("ends where the Space has ended, whatever is asked, and where a person asks", () => {
    for (const wish of [null, asks("override", "now"), asks("abort", "x")])
      expect(nextOf(noted(1), status(1, "ABORT"), settings, wish)).toMatchObject({
        kind: "end",
        verdict: "FAIL",
        notify: false,
      });
    expect(nextOf(noted(1), status(1, "KEEP_BASELINE"), settings, null)).toMatchObject({ verdict: "INCONCLUSIVE" });
    expect(nextOf(noted(1), status(1, "PROMOTE"), settings, asks("abort", "no"))).toMatchObject({
      kind: "end",
      words: "ended by omar: no",
      notify: true,
    });
  });

  it("hands back what a restart has lost, starts a step again without any, and ends after too many", () => {
    const waits = status(-1, "WAIT");
    expect(nextOf(noted(1), waits, settings, null)).toMatchObject({ kind: "begin", step: 1, handBack: true });
    expect(nextOf(noted(1, { state: null }), waits, settings, null)).toMatchObject({ step: 1, handBack: false });
    expect(nextOf(noted(1, { restarts: 2 }), waits, settings, null)).toMatchObject({
      kind: "end",
      verdict: "FAIL",
      words: "the Space was restarted 3 times while the candidate ran beside",
    });
    const loading = { candidate: { version: "2", state: "loading" as const, reason: null } };
    expect(nextOf(noted(1), status(-1, "WAIT", loading), settings, null)).toMatchObject({ kind: "nothing" });
  });
});
