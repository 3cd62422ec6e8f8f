import { describe, expect, it } from "vitest";
import { renderHtml } from "../../../eval/report/html.ts";
import { renderMarkdown } from "../../../eval/report/markdown.ts";
import { renderTerminal } from "../../../eval/report/terminal.ts";
import type { DatasetChange } from "../../../eval/schema/verdict.ts";
import { modelVerdict, verdictFile } from "./builders.ts";

const rows = { id: "texts", digest: "d", badRows: 0 };
const change: DatasetChange = {
  base: { ...rows, rows: 3000 },
  candidate: { ...rows, rows: 2990, badRows: 7 },
  judgedOn: "base",
  added: 0,
  removed: 10,
  changed: 2,
  relabelled: 1,
  examples: { added: [], removed: ["<b>1</b>", "2"], changed: ["3", "4"] },
  labels: [{ head: "mood", base: { rows: { bad: 1500, good: 1500 } }, candidate: { rows: { bad: 1490, good: 1500 } } }],
  slices: [{ column: "source", gained: [], lost: ["yelp|imdb"] }],
  figures: [
    { model: "candidate", head: "mood", metric: "auroc", slice: "all", unit: "", base: 0.91424, candidate: 0.95 },
    { model: "baseline", head: "mood", metric: "auroc", slice: "source=yelp", unit: "", base: 0.9, candidate: null },
  ],
};

describe("a change of the data is shown where the verdict is", () => {
  const verdict = verdictFile([modelVerdict({ datasetChange: change })]);
  const plain = verdictFile([modelVerdict()]);
  it.each([
    ["markdown", (file: typeof verdict) => renderMarkdown(file, null, {})],
    ["html", (file: typeof verdict) => renderHtml(file, null, [])],
    ["terminal", (file: typeof verdict) => renderTerminal(file, null, { color: false, width: 120 })],
  ])("%s", (kind, render) => {
    const text = render(verdict).replaceAll(/\s+/g, " ");
    expect(text).toContain("This candidate changes the data.");
    expect(text).toContain("judged on the base");
    expect(text).toMatch(/3,000 → 2,990; unreadable 0 → 7/);
    expect(text).toMatch(/bad 1,500, good 1,500 → bad 1,490, good 1,500/);
    expect(text).toMatch(/2 \(3, 4\), 1 of them with another true value/);
    expect(text).toContain("0.9142");
    if (kind !== "terminal") expect(text).not.toContain("<b>1</b>");
    expect(render(plain)).not.toContain("changes the data");
  });
});
