import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderMarkdown } from "../../../eval/report/markdown.ts";
import { intervalBar, sparkline } from "../../../eval/report/markdown/bars.ts";
import { markdownCut, markdownText } from "../../../eval/report/text/escape-markdown.ts";
import { forestScale } from "../../../eval/report/series/forest-scale.ts";
import { fitSections } from "../../../eval/report/markdown/fit.ts";
import { reproduceCommands } from "../../../eval/report/reproduce.ts";
import { bothSides, check, identity, modelVerdict, verdictFile } from "./builders.ts";
import { example } from "./example.ts";
import { hostileMetrics, hostileText, hostileVerdict } from "./hostile.ts";
import { stories } from "./stories.ts";

/** Properties of every report: whole tables, whole elements, closed fences, no live mentions or links. */
function expectWhole(text: string): void {
  const lines = text.split("\n");
  const cells = (line: string) => line.split("|").length;
  for (const [i, line] of lines.entries()) {
    if (!/^\|( --- \|)+$/.test(line)) continue;
    expect(cells(lines[i - 1] ?? "")).toBe(cells(line));
    for (let k = i + 1; lines[k]?.startsWith("|"); k += 1) expect(cells(lines[k] ?? "")).toBe(cells(line));
  }
  for (const line of lines) if (line.startsWith("|")) expect(line.endsWith("|")).toBe(true);
  for (const tag of ["details", "summary", "code", "sub"])
    expect(text.split(`<${tag}>`).length).toBe(text.split(`</${tag}>`).length);
  expect(lines.filter((line) => line.startsWith("```")).length % 2).toBe(0);
  // Nothing is live inside a fence. The content of fences has its own test below.
  const live = text.replace(/^```sh\n[^`]*^```$/gm, "");
  const tags = live.match(/<[a-z!/][^>]*/gi) ?? [];
  expect(tags.filter((tag) => !/^<\/?(details|summary|code|sub)$|^<!-- sluice/.test(tag))).toEqual([]);
  expect(live).not.toMatch(/@[\p{L}\p{N}]/u);
  expect(live).not.toMatch(/(?<!&)#\d/);
  expect(live.replace("https://github.test/runs/1", "")).not.toMatch(/:\/\/|www\./i);
}

describe("the Markdown report", () => {
  it.each(Object.entries(stories))("%s: starts with the verdict and is whole", (_, story) => {
    const text = renderMarkdown(story, bothSides);
    expect(text.split("\n")[0]).toMatch(new RegExp(`^## . ${story.verdict}: `, "u"));
    expectWhole(text);
  });

  it("puts checks that are not PASS first, with their reasons, and collapses the rest", () => {
    const text = renderMarkdown(stories.fail, bothSides);
    expect(text).toContain(
      "| ❌ FAIL | <code>auroc</code>↑ | <code>source=imdb</code> | 0.9021 | 0.9210 | −0.0189 [−0.0271, −0.0107] | loss < 0.005 |",
    );
    expect(text.indexOf("❌ FAIL | <code>")).toBeLessThan(text.indexOf("<details><summary>3 checks PASS</summary>"));
    expect(text).toContain("| <code>gates.checks&#91;0&#93;.margin</code> | <code>0.005</code> → <code>0.02</code> |");
    expect(text).toContain("npx sluice gate mood --baseline 1a2b3c4");
  });

  it("shows few passing checks openly", () => {
    expect(renderMarkdown(stories.pass, null)).not.toContain("checks PASS</summary>");
  });

  it("shows slices and latency of the metrics", () => {
    const { verdict, metrics } = example();
    const text = renderMarkdown(verdict, metrics);
    expect(text).toContain("Slices of the candidate by auroc, the worst first");
    expect(text).toContain("| 32 | candidate | 31.8 | 38.8 | 51.8 | 1,006 |");
    expectWhole(text);
  });

  it("starts with the marker, and refuses one that is not a plain comment", () => {
    const marker = "<!-- sluice-gate config=sluice.yaml models=all -->";
    expect(renderMarkdown(stories.pass, null, { marker }).startsWith(`${marker}\n`)).toBe(true);
    for (const bad of ["sluice", "<!-- a --> b -->", "<!-- <b> -->", "<!-- a\n -->"])
      expect(() => renderMarkdown(stories.pass, null, { marker: bad })).toThrow(TypeError);
  });

  it("links the run only when its address is valid", () => {
    expect(renderMarkdown(stories.pass, null, { runUrl: "https://github.test/runs/1" })).toContain(
      "[report.html](https://github.test/runs/1)",
    );
    expect(renderMarkdown(stories.pass, null, { runUrl: "javascript:alert(1)" })).not.toContain("javascript");
    expect(renderMarkdown(stories.pass, null, { runUrl: "https://x) <script>" })).not.toContain("](");
  });

  it("stays within the limit with 300 checks over 60 slices, and counts what is missing", () => {
    const checks = Array.from({ length: 300 }, (_, k) =>
      Array.from({ length: 60 }, (_, s) =>
        check({ slice: `column_${k}=value_${s}`, verdict: k === 0 && s < 40 ? "FAIL" : "PASS" }),
      ),
    ).flat();
    const text = renderMarkdown(verdictFile([modelVerdict({ checks, verdict: "FAIL" })]), bothSides);
    expect(text.length).toBeLessThanOrEqual(60_000);
    expect(text.length).toBeGreaterThan(50_000);
    const shown = text.match(/^\| ✅ PASS \|/gm)?.length ?? 0;
    expect(text.match(/^\| ❌ FAIL \|/gm)?.length).toBe(40);
    expect(text).toContain(`… ${(18_000 - 40 - shown).toLocaleString("en-US")} more checks in report.html`);
    expectWhole(text);
  });

  it("with many models shows the worst first and says that the rest did not fit", () => {
    const models = Array.from({ length: 500 }, (_, i) =>
      modelVerdict({ model: identity({ id: `m${i}` }), verdict: i === 400 ? "FAIL" : "PASS" }),
    );
    const text = renderMarkdown(verdictFile(models, { verdict: "FAIL" }), null, { maxCharacters: 20_000 });
    expect(text.length).toBeLessThanOrEqual(20_000);
    expect(text.indexOf("| ❌ FAIL | m400 |")).toBeLessThan(text.indexOf("| ✅ PASS | m0 |"));
    expect(text).toMatch(/… [\d,]+ more models in report\.html/);
    expectWhole(text);
  });

  it("is whole, escaped and within the limit whatever the input", () => {
    fc.assert(
      fc.property(hostileVerdict, fc.integer({ min: 4_000, max: 30_000 }), (verdict, maxCharacters) => {
        const text = renderMarkdown(verdict, hostileMetrics(verdict), {
          maxCharacters,
          marker: "<!-- sluice-gate -->",
          runUrl: "https://github.test/runs/1",
        });
        expect(text.length).toBeLessThanOrEqual(maxCharacters);
        expect(text).not.toMatch(/<script/i);
        expectWhole(text);
      }),
      { numRuns: 100 },
    );
  });

  it("keeps at least the verdict, however little space there is", () => {
    fc.assert(
      fc.property(hostileVerdict, fc.integer({ min: 12, max: 3_000 }), (verdict, maxCharacters) => {
        const text = renderMarkdown(verdict, null, { maxCharacters });
        expect(text.length).toBeLessThanOrEqual(maxCharacters);
        expect(text).toContain(verdict.verdict);
        expectWhole(text);
      }),
      { numRuns: 60 },
    );
  });
});

describe("escaping", () => {
  it.each([
    ["a|b", "a&#124;b"],
    ["@octocat", "@\u200boctocat"],
    ["see #12", "see #\u200b12"],
    ["https://x.y", "https:\u200b//x.y"],
    ["<b>", "&#60;b&#62;"],
    ["latency_p50_ms", "latency_p50_ms"],
    ["_x_", "&#95;x&#95;"],
    ["- item", "&#45; item"],
    ["1. item", "1&#46; item"],
    ["1.2.0", "1.2.0"],
    ["a\nb", "a b"],
    ["&#64;x", "&#38;#\u200b64;x"],
  ])("%j becomes %j", (text, escaped) => expect(markdownText(text)).toBe(escaped));

  it("cuts between characters, never inside an entity", () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 1, max: 60 }), (text, longest) => {
        const short = markdownCut(text, longest);
        expect(short.length).toBeLessThanOrEqual(longest);
        expect(short.replace(/&#\d+;/g, "")).not.toMatch(/&/);
      }),
    );
  });
});

describe("fitting", () => {
  const section = (name: string, priority: number, items: string[]) => ({
    name,
    priority,
    group: "",
    open: "<",
    items,
    close: ">",
    more: (left: number) => `+${left}`,
  });
  it("takes whole items by priority and keeps the order", () => {
    expect(fitSections([section("late", 2, ["aaaa", "bbbb"]), section("early", 1, ["cc"])], 12)).toEqual({
      text: "<aaaa+1><cc>",
      omitted: [],
    });
    expect(fitSections([section("late", 2, ["aaaa", "bbbb"]), section("early", 1, ["cc"])], 10)).toEqual({
      text: "<cc>",
      omitted: ["late"],
    });
  });
});

describe("bars", () => {
  it("place interval, margin and baseline on one axis", () => {
    const rows = [
      { point: 0.5, low: -0.5, high: 1, bounds: [-1] },
      { point: 0, low: -2, high: 2, bounds: [-1, 1] },
    ];
    expect(rows.map((row) => intervalBar(row, forestScale(rows)))).toEqual(["····┃·━━━━●━━····", "━━━━┃━━━●━━━┃━━━━"]);
    const far = { point: -40, low: -50, high: -30, bounds: [-1] };
    expect([far, ...rows].map((row) => intervalBar(row, forestScale([far, ...rows])))).toEqual([
      "●━····┃·┊········",
      "······┃━━●━······",
      "·····━┃━●━┃━·····",
    ]);
    const endless = { point: -4e6, low: -5e6, high: -3e6, bounds: [-1] };
    expect(intervalBar(endless, forestScale([endless]))).toBe("◂······┃┊········");
  });
  it("draw heights between the smallest and the largest value", () => {
    expect(sparkline([0, 0.5, 1])).toBe("▁▅█");
    expect(sparkline([2, 2])).toBe("▄▄");
    expect(sparkline([1, Number.NaN, 3])).toBe("▁ █");
  });
});

describe("commands to reproduce", () => {
  it("name the commit and the baseline's commit", () => {
    expect(reproduceCommands(stories.pass)).toEqual([
      "git checkout 9f8e7d6c5b4a39281706f5e4d3c2b1a098765432",
      "npx sluice gate mood --baseline 1a2b3c4",
    ]);
  });
  it("of a dirty tree say that a fresh clone will not do", () => {
    const dirty = {
      ...stories.pass,
      commitState: { commit: "c".repeat(40), dirty: true, digest: "ab".repeat(32), files: [] },
    };
    expect(reproduceCommands(dirty)).toEqual([
      "# The working tree had uncommitted changes (digest abababababab) on top of 9f8e7d6c5b4a, and they were judged.",
      "# Run this in that tree: a fresh clone does not have them.",
      "npx sluice gate mood --baseline 1a2b3c4",
    ]);
    const clean = { ...stories.pass, commitState: { commit: "c".repeat(40), dirty: false, digest: null, files: [] } };
    expect(reproduceCommands(clean)).toEqual(reproduceCommands(stories.pass));
  });
  it("repeat the flags that matter", () => {
    const flags = ["--no-performance", "--seed", "7", "--config", "a dir/sluice.yaml"];
    expect(reproduceCommands({ ...stories.pass, reproduce: { command: "gate", flags } }).at(-1)).toBe(
      "npx sluice gate mood --baseline 1a2b3c4 --no-performance --seed 7 --config 'a dir/sluice.yaml'",
    );
    expect(
      reproduceCommands({ ...stories.pass, reproduce: { command: "compare", flags: ["--candidate", "it's.csv"] } }),
    ).toEqual([`npx sluice compare --candidate 'it'\\''s.csv'`]);
  });
  it("name a baseline that is a folder by the folder", () => {
    const folder = verdictFile([modelVerdict({ baselineSource: "/models/abcdef1/mood" })]);
    expect(reproduceCommands(folder).at(-1)).toBe("npx sluice gate mood --baseline /models/abcdef1/mood");
  });
  it.each([
    "models/facade1 at merge base with main, 1a2b3c4",
    "decade12 1.0.0, which production served last (decade12-production@20260102T030405Z), models/decade12 at 1a2b3c4",
    "models/mood at main (1a2b3c4), where the base branch is now; this change left it at 7654321, when others were",
  ])("name the baseline's commit, whatever else looks like one: %s", (baselineSource) => {
    const [line] = reproduceCommands(verdictFile([modelVerdict({ baselineSource })])).slice(-1);
    expect(line).toBe("npx sluice gate mood --baseline 1a2b3c4");
  });
  it("never contain what a shell would read as more than a word", () => {
    fc.assert(
      fc.property(hostileVerdict, (verdict) => {
        for (const line of reproduceCommands(verdict))
          expect(line).toMatch(/^(git checkout|npx sluice gate) [\w./@~^-]+( --baseline ([\w./-]+|'[^']*'))?$/);
      }),
    );
  });
});
