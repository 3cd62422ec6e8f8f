import { build } from "esbuild";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderHtml } from "../../../eval/report/html.ts";
import { verdictFile as verdictSchema } from "../../../eval/schema/verdict.ts";
import { bothSides, check, metricsFile, modelVerdict, normal, predictions, seeded, verdictFile } from "./builders.ts";
import { example } from "./example.ts";
import { hostileMetrics, hostileVerdict } from "./hostile.ts";
import { stories } from "./stories.ts";

/** Elements must close in order. This is enough of a parser to catch markup that text from outside opened or closed. */
function expectWellFormed(html: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  for (const [, close, name = "", attributes = ""] of html
    .replace(/<script[^>]*>[\s\S]*?<\/script>|<style>[\s\S]*?<\/style>/g, "")
    .matchAll(/<(\/?)([a-zA-Z!][\w]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/g)) {
    if (close === "/") expect(open.pop()).toBe(name);
    else {
      seen.push(name);
      if (!["!doctype", "meta", "br"].includes(name) && !attributes.endsWith("/")) open.push(name);
    }
  }
  expect(open).toEqual([]);
  return seen;
}

function embedded(html: string): unknown {
  return JSON.parse(/<script type="application\/json" id="verdict">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? "null");
}

describe("the HTML report", () => {
  const { verdict, metrics, plots } = example();
  const html = renderHtml(verdict, metrics, plots);

  it.each(Object.entries(stories))("%s: shows the verdict and embeds it", (_, story) => {
    const page = renderHtml(story, bothSides, []);
    expect(page).toContain(`<div class="banner v-${story.verdict}">`);
    expect(embedded(page)).toEqual(story);
    expect(verdictSchema.safeParse(embedded(page)).success).toBe(true);
    expectWellFormed(page);
  });

  it("is self-contained", () => {
    expect(html).not.toMatch(/<(link|img|iframe|object|script(?! type="application\/json"))|@import|url\((?!#)/);
    expect(html.match(/(?:src|href)="[^"]*"/g) ?? []).toEqual([]);
  });

  it("draws every plot with a title and a description, in colours of the style sheet", () => {
    const titles = [...html.matchAll(/<title id="[^"]+">([^<]+)/g)].map(([, title]) => title);
    expect(titles).toEqual(
      expect.arrayContaining([
        "Differences from the baseline",
        "ROC of mood",
        "Calibration of mood",
        "Scores of mood",
        "Residuals of births",
        "Actual against predicted of births",
        "Latency",
      ]),
    );
    for (const svg of html.match(/<svg [\s\S]*?<\/svg>/g) ?? []) {
      expect(svg).toMatch(/role="img" aria-labelledby="[^"]+"/);
      expect(
        [...svg.matchAll(/(?:fill|stroke)="([^"]+)"/g)]
          .map(([, color = ""]) => color)
          .filter((color) => !/^(none|var\(--plot-\w+\)|#000)$/.test(color)),
      ).toEqual([]);
    }
    const ids = [...html.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expectWellFormed(html);
  });

  it("is the same text every time", () => {
    expect(renderHtml(verdict, metrics, plots)).toBe(html);
  });

  it("writes each decision out", () => {
    expect(html).toContain("<li>difference = candidate − baseline = 0.90211 − 0.92104 = −0.01893</li>");
    expect(html).toContain('title="sha256 a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"');
    expect(html).toContain("Example CPU @ 2.60GHz");
    expect(html).toContain("<code>0.005</code> → <code>0.02</code>");
  });

  it("stays small with 300 checks over 60 slices, and says what is missing", () => {
    const checks = Array.from({ length: 300 }, (_, k) =>
      Array.from({ length: 60 }, (_, s) => check({ slice: `column_${k}=value_${s}` })),
    ).flat();
    const page = renderHtml(verdictFile([modelVerdict({ checks })]), bothSides, []);
    expect(page.length).toBeLessThan(1_500_000);
    expect(page).toMatch(/… [\d,]+ more checks/);
    expect(page).toContain("verdict.json is too large to be embedded here");
  });

  it("stays small with a hundred thousand rows", () => {
    const random = seeded(5);
    const gauss = normal(random);
    const labels = Array.from({ length: 100_000 }, () => (random() < 0.3 ? 1 : 0));
    const said = labels.map((label) => 1 / (1 + Math.exp(-gauss() - label)));
    const page = renderHtml(verdictFile([modelVerdict()]), bothSides, [
      {
        modelId: "mood",
        head: "a",
        unit: "",
        candidate: predictions(labels, said),
        baseline: predictions(labels, said),
      },
      { modelId: "mood", head: "b", unit: "g", candidate: predictions(said, labels, { classes: [] }), baseline: null },
    ]);
    expect(page.length).toBeLessThan(600_000);
    expect(page).toContain("1,500 of 100,000 rows");
  });

  it("draws several classes by their confidence", () => {
    const three = predictions([0, 1, 2, 1], [0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.1, 0.6, 0.3, 0.1, 0.8, 0.1], {
      classes: ["a", "b", "c"],
    });
    const page = renderHtml(verdictFile([modelVerdict()]), null, [
      { modelId: "mood", head: "kind", unit: "", candidate: three, baseline: null },
    ]);
    expect(page).toContain("Calibration of kind");
    expect(page).not.toContain("ROC of kind");
  });

  it("lets no text from outside become markup, in the page, in plots or in the embedded data", () => {
    fc.assert(
      fc.property(hostileVerdict, (hostile) => {
        const [first] = hostile.models;
        const text = first?.reason ?? "";
        const page = renderHtml(
          hostile,
          hostileMetrics(hostile),
          first === undefined
            ? []
            : [
                {
                  modelId: first.model.id,
                  head: text,
                  unit: text,
                  candidate: predictions([0, 1, 1], [0.2, 0.4, 0.9], { classes: [text, text] }),
                  baseline: null,
                },
              ],
        );
        const allowed = [
          "!doctype",
          "html",
          "head",
          "meta",
          "title",
          "style",
          "body",
          "header",
          "main",
          "footer",
          "div",
          "section",
          "h1",
          "h2",
          "h3",
          "p",
          "ul",
          "ol",
          "li",
          "dl",
          "dt",
          "dd",
          "table",
          "thead",
          "tbody",
          "tr",
          "th",
          "td",
          "details",
          "summary",
          "span",
          "small",
          "code",
          "pre",
          "b",
          "br",
          "i",
          "figure",
          "figcaption",
          "svg",
          "g",
          "path",
          "text",
          "tspan",
          "rect",
          "defs",
          "clipPath",
          "desc",
        ];
        expect([...new Set(expectWellFormed(page))].filter((name) => !allowed.includes(name))).toEqual([]);
        expect(page.match(/<script/gi)?.length).toBe(1);
        expect(embedded(page)).toEqual(JSON.parse(JSON.stringify(hostile)));
      }),
      { numRuns: 40 },
    );
  });

  it("works without metrics and without models", () => {
    expect(expectWellFormed(renderHtml(verdictFile([]), metricsFile([]), []))).not.toContain("section");
    expect(expectWellFormed(renderHtml(stories.error, null, []))).not.toContain("table");
  });
});

describe("loading", () => {
  const inputsOf = async (entry: string) =>
    Object.keys(
      (
        await build({
          entryPoints: [entry],
          bundle: true,
          write: false,
          metafile: true,
          platform: "node",
          format: "esm",
          logLevel: "silent",
        })
      ).metafile.inputs,
    );

  it("terminal and Markdown do not load the chart library; the HTML report bundles it", async () => {
    const charts = (inputs: string[]) => inputs.some((path) => path.includes("node_modules/echarts/"));
    expect(charts(await inputsOf("eval/report/terminal.ts"))).toBe(false);
    expect(charts(await inputsOf("eval/report/markdown.ts"))).toBe(false);
    expect(charts(await inputsOf("eval/report/html.ts"))).toBe(true);
  });
});
