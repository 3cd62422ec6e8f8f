import { describe, expect, it } from "vitest";
import { nextSteps } from "../../../eval/report/content/next-steps.ts";
import { sliceRankings } from "../../../eval/report/content/slice-ranking.ts";
import { tally } from "../../../eval/report/content/check-order.ts";
import { renderHtml } from "../../../eval/report/html.ts";
import { renderMarkdown } from "../../../eval/report/markdown.ts";
import { renderTerminal } from "../../../eval/report/terminal.ts";
import { forestRow } from "../../../eval/report/series/forest.ts";
import { forestScale } from "../../../eval/report/series/forest-scale.ts";
import { judgeModel, judgeRun } from "../../../eval/judge/judge.ts";
import type { Measurement } from "../../../eval/schema/metrics.ts";
import { bothSides, check, limit, modelMetrics, modelVerdict, verdictFile } from "./builders.ts";
import { example } from "./example.ts";
import { stories } from "./stories.ts";

describe("the verdict", () => {
  it.each(Object.entries(stories))("%s: is the banner's, said once above the checks", (_, story) => {
    const page = renderHtml(story, bothSides, []);
    const above = page.slice(page.indexOf("<body>"), page.indexOf("<h3>Checks</h3>"));
    const words = [...above.matchAll(/<span class="word">(\w+)<\/span>/g)].map(([, word]) => word);
    expect(words).toEqual([story.verdict]);
    expect(above.split(story.reason.replaceAll("'", "&#39;")).length - 1).toBeLessThanOrEqual(1);
  });

  it("comes with why and what to do before everything else", () => {
    const page = renderHtml(stories.fail, bothSides, []);
    const places = ['class="banner', "What to do", "Difference from the baseline", "<h3>Checks", "Plots", "Reproduce"];
    const found = places.map((text) => page.indexOf(text));
    expect(found).not.toContain(-1);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
  });

  it("has no headline that repeats itself", () => {
    const fail = modelVerdict({
      verdict: "FAIL",
      checks: [check({ verdict: "FAIL", reason: "shown to be worse" }), limit(), check({ verdict: "INCONCLUSIVE" })],
    });
    const { reason } = judgeModel(fail.checks);
    expect(reason).toBe("auroc: shown to be worse (of 3 deciding checks 1 FAIL, 1 INCONCLUSIVE)");
    expect(judgeRun([{ ...fail, reason }]).reason).toBe(reason);
    expect(judgeModel([limit()]).reason).toBe("the deciding check passes");
    expect(judgeModel([limit(), limit()]).reason).toBe("all 2 deciding checks pass");
    const two = judgeRun([{ ...fail, reason }, modelVerdict({ verdict: "PASS" })]);
    expect(two.reason).toBe(`mood FAIL: ${reason}`);
  });

  it("says nothing of what an error kept from being looked at", () => {
    for (const text of [
      renderHtml(stories.error, null, []).replace(/<(script|style)[^]*?<\/\1>/g, ""),
      renderMarkdown(stories.error, null),
      renderTerminal(stories.error, null, { color: false, width: 100 }),
    ])
      expect(text).not.toMatch(/not reached|without a baseline|thresholds from/);
  });

  it("of a first version says 'no baseline' where a check had none, in every report", () => {
    expect(tally(stories.noBaseline.models[0]!.checks)).toBe("1 of 1 deciding check PASS; 1 without a baseline");
    for (const text of [
      renderHtml(stories.noBaseline, null, []).replace(/<(script|style)[^]*?<\/\1>/g, ""),
      renderMarkdown(stories.noBaseline, null),
      renderTerminal(stories.noBaseline, null, { color: false, width: 100 }),
    ]) {
      expect(text).toContain("no baseline");
      expect(text).not.toMatch(/INCONCLUSIVE|advisory|as differently as this one/);
    }
  });
});

describe("what to do", () => {
  it("is said for every verdict but a plain PASS", () => {
    for (const [name, story] of Object.entries(stories))
      expect(nextSteps(story.models[0]!).length, name).toBeGreaterThanOrEqual(name === "pass" ? 0 : 1);
    expect(nextSteps(stories.pass.models[0]!)).toEqual([]);
  });
  it("names the model's own command", () => {
    expect(nextSteps(stories.inconclusive.models[0]!).join()).toContain("`npx sluice plan births`");
    expect(renderMarkdown(stories.inconclusive, null)).toContain(
      "wider margin: <code>npx sluice plan births</code> says how many",
    );
    expect(renderHtml(stories.inconclusive, null, [])).toContain(
      "wider margin: <code>npx sluice plan births</code> says how many",
    );
  });
});

describe("the scale of a forest", () => {
  const far = check({ difference: -0.2, interval: { low: -0.21, high: -0.19, level: 0.9, method: "" } });
  it("shows the interval of the worst check whole, and others still apart from the baseline", () => {
    const rows = [far, check()].map(forestRow).filter((row) => row !== null);
    const { place, ticks, linear } = forestScale(rows);
    expect(linear).toBe(false);
    expect(place(rows[0]!.low)).toBe(-1);
    expect(place(rows[0]!.high)).toBeLessThan(-0.9);
    expect(place(rows[1]!.low)).toBeLessThan(-0.1);
    expect(ticks).toEqual([-30, -10, -3, -1, 0, 1, 3, 10, 30]);
    const page = renderHtml(verdictFile([modelVerdict({ checks: [far, check()] })]), null, []);
    expect(page).toContain("The axis is logarithmic away from the baseline");
    expect(page).toContain(">−30<");
  });
  it("is linear where everything lies within three margins", () => {
    const { place, ticks } = forestScale([forestRow(check())!]);
    expect([place(-1), place(0), place(2)]).toEqual([-0.5, 0, 1]);
    expect(ticks).toEqual([-2, -1, 0, 1, 2]);
  });
});

describe("slices", () => {
  const measured = (metric: Measurement["metric"], slice: string, value: number, n: number): Measurement => ({
    metric,
    options: {},
    head: null,
    slice,
    unit: "",
    direction: "higher",
    result: { status: "ok", value, n, interval: { low: value - 0.1, high: value + 0.1, level: 0.9, method: "m" } },
  });
  const metrics = modelMetrics({
    measurements: [
      measured("average_precision", "all", 0.4, 900),
      measured("average_precision", "rare=yes", 0.1, 300),
      measured("auroc", "all", 0.8, 900),
      measured("auroc", "rare=yes", 0.9, 300),
      measured("auroc", "rare=no", 0.7, 590),
      measured("auroc", "tiny=1", 0.2, 10),
    ],
  });
  it("are ranked by what does not depend on how common a class is, and tiny ones not at all", () => {
    const [ranking, ...others] = sliceRankings(metrics, null);
    expect(others).toEqual([]);
    expect(ranking).toMatchObject({ label: "auroc", all: 0.8 });
    expect(ranking!.slices.map(({ slice, n, unranked }) => [slice, n, unranked])).toEqual([
      ["rare=no", 590, null],
      ["rare=yes", 300, null],
      ["tiny=1", 10, "too few rows to rank"],
    ]);
  });
  it("show rows and interval, with its level, in both reports", () => {
    const file = { ...bothSides, models: [metrics] };
    const verdict = verdictFile([modelVerdict()]);
    expect(renderMarkdown(verdict, file)).toMatch(
      /<code>auroc<\/code>↑, 90% interval \| baseline[^]*<code>rare=no<\/code> \| 590 \| 0\.7000 \[0\.6000, 0\.8000\]/,
    );
    const page = renderHtml(verdict, file, []);
    expect(page).toMatch(/auroc ↑, 90% interval<\/th>/);
    expect(page).toContain("1 other not ranked");
  });
});

describe("intervals and axes", () => {
  it("name their level in every table", () => {
    const { verdict, metrics, plots } = example();
    expect(renderHtml(verdict, metrics, plots)).toContain("difference, 90% interval</th>");
    expect(renderMarkdown(verdict, metrics)).toContain("difference, 90% interval |");
    const terminal = renderTerminal(verdict, metrics, { color: false, width: 140 });
    expect(terminal).toContain("90% intervals of the difference");
  });
  it("of several levels name each in its row", () => {
    const other = { low: -0.003, high: 0.005, level: 0.98, method: "" };
    const checks = [check(), check({ slice: "a=b", interval: other })];
    const text = renderMarkdown(verdictFile([modelVerdict({ checks })]), null);
    expect(text).toContain("difference, interval |");
    expect(text).toMatch(/\] \(90%\) \|[^]*\] \(98%\) \|/);
  });
  it("of latency have marks that people read easily", () => {
    const { verdict, metrics, plots } = example();
    const svg = /<title id="[^"]*">Latency[^]*?<\/svg>/.exec(renderHtml(verdict, metrics, plots))?.[0] ?? "";
    const marks = [...svg.matchAll(/<text[^>]*>([\d.]+)<\/text>/g)].map(([, text]) => Number(text));
    expect(marks.filter((mark) => ![1, 8, 32].includes(mark)).toSorted((a, b) => a - b)).toEqual([
      2, 5, 10, 20, 50, 100,
    ]);
  });
  it("of many checks keep what is not PASS open and fold most of the rest", () => {
    const checks = Array.from({ length: 200 }, (_, i) =>
      check({ slice: `s=${i}`, verdict: i === 150 ? "FAIL" : "PASS" }),
    );
    const page = renderHtml(verdictFile([modelVerdict({ checks })]), null, []);
    expect(page).toContain("<summary>180 more checks, PASS</summary>");
    expect(page.indexOf(">s=150<")).toBeLessThan(page.indexOf("more checks, PASS"));
  });
});

describe("the arrow beside a metric", () => {
  const shown = (metric: "auroc" | "interval_coverage") => {
    const verdict = verdictFile([
      modelVerdict({ checks: [check({ metric, id: `${metric}/equivalence`, kind: "equivalence" })] }),
    ]);
    return [
      renderHtml(verdict, null, []).includes(`<code>${metric}</code> ↑`),
      renderMarkdown(verdict, null).includes(`<code>${metric}</code>↑`),
      renderTerminal(verdict, null, { color: false, width: 160 }).includes(`${metric} ↑`),
    ];
  };
  it("is there where more is better, and not where closeness to a value is", () => {
    expect(shown("auroc")).toEqual([true, true, true]);
    expect(shown("interval_coverage")).toEqual([false, false, false]);
  });
});
