import { describe, expect, it } from "vitest";
import type { Answers, Predictions, Span } from "../../../eval/predictions/predictions.ts";
import { entityTables } from "../../../eval/report/content/entity-tables.ts";
import { rankingTables } from "../../../eval/report/content/ranking-tables.ts";
import { type Cell, maxRows } from "../../../eval/report/content/task-table.ts";
import { textTables } from "../../../eval/report/content/text-tables.ts";
import { wordDifferences } from "../../../eval/report/content/word-differences.ts";
import { renderHtml } from "../../../eval/report/html.ts";
import { renderMarkdown } from "../../../eval/report/markdown.ts";
import { predictionsOf } from "../metrics/answer-samples.ts";
import { identity, modelVerdict, verdictFile } from "./builders.ts";

const hostile = "<img src=x onerror=alert(1)>|`@team`";

const predictions = (task: Predictions["task"], ids: string[], answers: Answers): Predictions =>
  predictionsOf(answers, { head: "h", task, ids });
function reports(candidate: Predictions, baseline: Predictions | null): { html: string; markdown: string } {
  const verdict = verdictFile([modelVerdict({ model: identity({ id: "m", task: candidate.task }) })]);
  const heads = [{ modelId: "m", head: "h", candidate, baseline, unit: "" }];
  return { html: renderHtml(verdict, null, heads), markdown: renderMarkdown(verdict, null, { heads }) };
}
const text = (cell: Cell | undefined): string =>
  cell === undefined
    ? "none"
    : "lines" in cell
      ? cell.lines
          .map(({ label, pieces }) => `${label}: ${pieces.map((one) => `${one.kind} ${one.text}`).join(", ")}`)
          .join("; ")
      : cell.text;
const firstCells = (rows: Cell[][]) => rows.map((cells) => text(cells[0]));

/** What a report holds of hostile ids, items, types and texts: it must be inert in both forms. */
const hostileParts = ({ html, markdown }: { html: string; markdown: string }) => ({
  escaped: html.includes("&lt;img"),
  live: html.includes("<img") || markdown.includes("<img") || markdown.includes("@team"),
});

describe("a report of rankings", () => {
  const relevant = [["a", "b"], ["c"], [], ["d", hostile]];
  const ranked = [["a", "x", "b"], ["x", "y", "c"], ["x"], ["q", "r"]];
  const of = (lists: string[][]): Predictions =>
    predictions("ranking", ["ann", "bob", "cat", hostile], { kind: "ranking", relevant, gains: null, ranked: lists });
  const candidate = of(ranked);
  const baseline = of([["a", "b"], ["c"], ["x"], ["d"]]);
  it("has each metric at 1, 5, 10 and 20, over users with a relevant item", () => {
    const [table] = rankingTables(candidate, baseline);
    expect(table!.about).toContain("3 users");
    expect(table!.rows.map((cells) => cells.map(text))).toEqual([
      ["ndcg_at_k k=1", "0.333", "1.000"],
      ["ndcg_at_k k=5", "0.473", "0.871"],
      ["ndcg_at_k k=10", "0.473", "0.871"],
      ["ndcg_at_k k=20", "0.473", "0.871"],
      ["recall_at_k k=1", "0.167", "0.667"],
      ["recall_at_k k=5", "0.667", "0.833"],
      ["recall_at_k k=10", "0.667", "0.833"],
      ["recall_at_k k=20", "0.667", "0.833"],
      ["hit_rate_at_k k=1", "0.333", "1.000"],
      ["hit_rate_at_k k=5", "0.667", "1.000"],
      ["hit_rate_at_k k=10", "0.667", "1.000"],
      ["hit_rate_at_k k=20", "0.667", "1.000"],
    ]);
  });
  it("shows the worst users first, with what they wanted and got", () => {
    const users = rankingTables(candidate, baseline)[1]!.rows;
    expect(firstCells(users)).toEqual([hostile, "bob", "ann"]);
    expect(text(users[1]![3])).toBe("relevant: hit c; candidate: plain x, plain y, hit c; baseline: hit c");
  });
  it("leaves out items whose gain is 0, and the baseline where there is none", () => {
    const answers = { kind: "ranking", relevant: [["a", "b"]], gains: [[2, 0]], ranked: [["b"]] } as const;
    const [, users] = rankingTables(
      predictions("ranking", ["u"], structuredClone(answers) as unknown as Answers),
      null,
    );
    expect(users!.rows.map((cells) => cells.map(text))).toEqual([
      ["u", "0.000", "relevant: plain a; candidate: plain b"],
    ]);
  });
  it("escapes all of it", () =>
    expect(hostileParts(reports(candidate, baseline))).toEqual({ escaped: true, live: false }));
});

describe("a report of entities", () => {
  const span = (start: number, end: number, type: string): Span => ({ start, end, type });
  const label = [[span(0, 4, "PER"), span(9, 12, "LOC")], [span(0, 2, "LOC")], [span(3, 5, hostile)]];
  const of = (predicted: Span[][]): Predictions =>
    predictions("token-classification", ["t0", "t1", "t2"], { kind: "spans", label, predicted });
  const candidate = of([[span(0, 4, "PER"), span(9, 11, "LOC")], [span(0, 2, "LOC")], [span(3, 5, "PER")]]);
  const baseline = of(label);
  it("ranks types by F1, with the labelled entities of each", () => {
    const [types] = entityTables(candidate, baseline);
    expect(types!.rows.map((cells) => cells.map(text))).toEqual([
      [hostile, "1", "0.000", "1.000"],
      ["LOC", "2", "0.500", "1.000"],
      ["PER", "1", "0.667", "1.000"],
    ]);
  });
  it("shows what was missed and invented", () => {
    const texts = entityTables(candidate, baseline)[1]!.rows;
    expect(texts.map((cells) => cells.map(text))).toEqual([
      ["t0", "2", "0", "missed: missing LOC [9, 12); invented: added LOC [9, 11)"],
      ["t2", "2", "0", `missed: missing ${hostile} [3, 5); invented: added PER [3, 5)`],
    ]);
  });
  it("escapes all of it", () =>
    expect(hostileParts(reports(candidate, baseline))).toEqual({ escaped: true, live: false }));
});

describe("a report of texts", () => {
  const references = [["the quick fox"], ["a b c d"], ["same"], [`say ${hostile} now`]];
  const of = (hypotheses: string[]): Predictions =>
    predictions("speech-to-text", ["u0", "u1", "u2", "u3"], {
      kind: "text",
      references,
      hypotheses,
      audioSeconds: null,
    });
  const candidate = of(["the quiet fox", "a b c", "same", "say now"]);
  const baseline = of(["the quick fox", "a b c d", "same", "now"]);
  it("shows the worst rows first, without those that are right", () => {
    const [table] = textTables(candidate, baseline);
    expect(table!.rows.map((cells) => cells.map(text).slice(0, 3))).toEqual([
      ["u3", "0.600", "0.800"],
      ["u0", "0.333", "0.000"],
      ["u1", "0.250", "0.000"],
    ]);
    expect(text(table!.rows[1]![3])).toBe(
      "candidate: plain the, missing quick, added quiet, plain fox; baseline: plain the quick fox",
    );
  });
  it("compares with the nearest of several references, by chrF", () => {
    const one = predictions("translation", ["r"], {
      kind: "text",
      references: [["x y z", "the cat sat"]],
      hypotheses: ["the cat sits"],
      audioSeconds: null,
    });
    const [table] = textTables(one, null);
    expect(table!.about).toContain("chrf");
    expect(text(table!.rows[0]![2])).toBe("candidate: plain the cat, missing sat, added sits");
  });
  it("escapes all of it, and marks differences", () => {
    const both = reports(candidate, baseline);
    expect(hostileParts(both)).toEqual({ escaped: true, live: false });
    for (const one of Object.values(both)) expect(one).toContain("<ins>quiet</ins>");
  });
  it("stays small with long texts and many rows", () => {
    const rows = 3000;
    const long = (word: string) => `${word} `.repeat(5000);
    const big = predictions(
      "text-generation",
      Array.from({ length: rows }, (_, i) => String(i)),
      {
        kind: "text",
        references: Array.from({ length: rows }, () => ["a b"]).with(0, [long("x")]),
        hypotheses: Array.from({ length: rows }, (_, i) => `a ${"c".repeat(i % 9)}`).with(0, long("y")),
        audioSeconds: null,
      },
    );
    const [table] = textTables(big, null);
    expect(table!.rows.length).toBe(maxRows);
    expect(table!.left).toBe(rows - maxRows);
    const { html, markdown } = reports(big, null);
    expect(html.length).toBeLessThan(300_000);
    expect(markdown.length).toBeLessThan(60_000);
    expect(html).toContain("are left out");
  });
});

describe("differences of words", () => {
  const shown = (from: string, to: string) => wordDifferences(from, to).map(({ kind, text: of }) => `${kind}:${of}`);
  const many = Array.from({ length: 40 }, (_, i) => `w${i}`).join(" ");
  it.each([
    ["equal texts", "a b", "a b", ["plain:a b"]],
    ["nothing said", "a b", "", ["missing:a b"]],
    ["nothing to say", "", "a", ["added:a"]],
    ["no white space", "東京都", "東都", ["plain:東", "missing:京", "plain:都"]],
  ])("of %s", (_, from, to, expected) => expect(shown(from, to)).toEqual(expected));
  it("leave out what is equal and far away", () => {
    expect(shown(`${many} x`, `${many} y`)).toEqual(["plain:… w35 w36 w37 w38 w39", "missing:x", "added:y"]);
  });
});
