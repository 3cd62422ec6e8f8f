import { describe, expect, it } from "vitest";
import { readPayload, readReceipt } from "../../../bot/github/records.ts";

describe("records of the deploy action", () => {
  it("reads payloads of several forms, and nothing else", () => {
    const right = { model: "mood", version: "1.0.0", sha256: "abc", verdict: "PASS" };
    expect(readPayload(right)).toEqual(right);
    expect(readPayload(JSON.stringify(right))).toEqual(right);
    expect(readPayload({ model: { id: "mood", version: "1.0.0", sha256: "abc" }, verdictSha256: "d" })).toEqual(right);
    expect(readPayload({ ...right, verdict: "GREEN" })).toEqual({ ...right, verdict: null });
    for (const none of [{}, "", "x", null, 7, { model: "mood" }, { model: {} }]) expect(readPayload(none)).toBeNull();
  });

  it("reads a receipt from a tag's message", () => {
    expect(
      readReceipt(
        `mood 1.0.0\n\n${JSON.stringify({
          model: { id: "mood", version: "1.0.0" },
          verdict: { verdict: "PASS", sha256: "x" },
          metrics: [
            { metric: "auroc", slice: "source=a", value: 1 },
            { metric: "auroc", slice: "all", value: 0.9 },
          ],
        })}\n-----`,
      ),
    ).toMatchObject({ model: "mood", verdict: "PASS", metrics: [{ metric: "auroc", value: 0.9, interval: null }] });
    for (const none of ["", "words", "{", "{}", "}{"]) expect(readReceipt(none)).toBeNull();
  });
});
