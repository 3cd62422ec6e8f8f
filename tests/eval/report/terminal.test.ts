import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { displayWidth, wrap } from "../../../eval/report/terminal-table.ts";
import { renderMeasurements } from "../../../eval/report/measurements.ts";
import { renderTerminal } from "../../../eval/report/terminal.ts";
import { bothSides, check, metricsFile, modelMetrics, modelVerdict, verdictFile } from "./builders.ts";
import { example } from "./example.ts";
import { hostileMetrics, hostileVerdict } from "./hostile.ts";
import { stories } from "./stories.ts";

const widest = (text: string) => Math.max(...text.split("\n").map(displayWidth));

describe("the terminal report", () => {
  it.each(Object.entries(stories))("%s: fits every width, ends with the verdict", (_, story) => {
    for (const width of [80, 100, 120, 140]) {
      const text = renderTerminal(story, bothSides, { color: false, width });
      expect(widest(text)).toBeLessThanOrEqual(width);
      expect(
        text
          .trimEnd()
          .split("\n")
          .findLast((line) => /^[A-Z]/.test(line)),
      ).toMatch(new RegExp(`^${story.verdict}\\b`));
    }
  });

  it("says what a new reader needs to know about a FAIL", () => {
    const text = renderTerminal(stories.fail, bothSides, { color: false, width: 120 });
    expect(text).toContain("mood: candidate 1.1.0 against baseline 1.0.0");
    expect(text).toContain("3,000 rows of uci-sentences");
    expect(text).toMatch(
      /auroc ↑ +source=imdb +0\.9021 +0\.9210 +−0\.0189 +\[−0\.0271, −0\.0107\] +loss < 0\.005 +FAIL/,
    );
    expect(text).toContain("worse by more than the margin");
    expect(text).toContain("gates.checks[0].margin: 0.005 → 0.02");
    expect(text).toMatch(/ 32 +candidate +31\.8 +38\.8 +51\.8 +1,006/);
    expect(text.indexOf("source=imdb")).toBeLessThan(text.indexOf(" all "));
  });

  it("shows that there is no baseline", () => {
    const text = renderTerminal(stories.noBaseline, null, { color: false, width: 100 });
    expect(text).toContain("candidate 1.1.0 without a baseline");
    expect(text).toMatch(/auroc ↑ .* no baseline$/m);
    expect(text).not.toMatch(/INCONCLUSIVE|INCOMPARABLE|advisory/);
  });

  it("is ASCII when requested", () => {
    for (const story of Object.values(stories))
      expect(renderTerminal(story, bothSides, { color: false, width: 100, plain: true })).toMatch(/^[\n\x20-\x7e]*$/);
  });

  it("has the same words with and without colour", () => {
    const plain = renderTerminal(stories.fail, bothSides, { color: false, width: 100 });
    const colored = renderTerminal(stories.fail, bothSides, { color: true, width: 100 });
    expect(colored).not.toBe(plain);
    expect(stripVTControlCharacters(colored)).toBe(plain);
  });

  it("with several models ends with one line for each and one for all", () => {
    const text = renderTerminal(
      verdictFile([...stories.fail.models, ...stories.inconclusive.models], {
        verdict: "FAIL",
        reason: "1 of 2 models",
      }),
      null,
      { color: false, width: 100 },
    );
    expect(
      text
        .trimEnd()
        .split("\n")
        .slice(-3)
        .map((line) => line.slice(0, 30).trim()),
    ).toEqual(["FAIL         mood 1.1.0: 1 of", "INCONCLUSIVE births 1.1.0: mae", "FAIL         overall: 1 of 2 m"]);
  });

  it("counts the checks that it leaves out", () => {
    const checks = Array.from({ length: 300 }, (_, i) => check({ slice: `s=${i}` }));
    expect(renderTerminal(verdictFile([modelVerdict({ checks })]), null, { color: false, width: 100 })).toContain(
      "… 260 more checks in report.html",
    );
  });

  it("never lets text from outside move the cursor or widen a line", () => {
    fc.assert(
      fc.property(hostileVerdict, fc.integer({ min: 80, max: 140 }), (verdict, width) => {
        const text = renderTerminal(verdict, hostileMetrics(verdict), { color: false, width });
        expect(text).not.toMatch(/(?!\n)\p{Cc}|[\u202a-\u202e]/u);
        expect(widest(text)).toBeLessThanOrEqual(width);
      }),
      { numRuns: 60 },
    );
  });

  it("wraps at spaces and breaks words that are longer than a line", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("abcdefgh", 3)).toEqual(["abc", "def", "gh"]);
  });
});

describe("measurements at a terminal", () => {
  it("show value and interval with the same decimals, and why a metric is undefined", () => {
    const text = renderMeasurements(example().metrics, { width: 80 });
    expect(text).toMatch(/auroc ↑ +all +0\.9142 +\[0\.9031, 0\.9249\] +3000/);
    expect(text).toMatch(/undefined +1000\n +no positive row/);
    expect(widest(text)).toBeLessThanOrEqual(80);
  });
  it("work without any measurement", () => {
    expect(renderMeasurements(metricsFile([modelMetrics()]), { width: 100, plain: true })).toContain(
      "mood | binary-classification | 3,000 rows",
    );
  });
});
