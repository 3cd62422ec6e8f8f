import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { metricsFile } from "../../eval/schema/metrics.ts";
import { verdictFile, type VerdictFile } from "../../eval/schema/verdict.ts";
import { sluice, type Run } from "./sluice.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-answers-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Row = Record<string, unknown>;
const file = (name: string, rows: readonly Row[]) => {
  writeFileSync(join(dir, name), rows.map((row, i) => `${JSON.stringify({ id: `r${i}`, ...row })}\n`).join(""));
  return name;
};
const compare = (baseline: string, candidate: string, ...more: string[]) =>
  sluice(dir, ["compare", "--baseline", baseline, "--candidate", candidate, ...more]);
const checkOf = (run: Run) => (verdictFile.parse(JSON.parse(run.stdout)) as VerdictFile).models[0]?.checks[0];

const rows = 300;
const items = Array.from({ length: 40 }, (_, i) => `item-${i}`);
/** Row i is answered rightly unless i % 20 is below `wrong`, in twentieths of the rows. */
const right = (i: number, wrong: number) => i % 20 >= wrong;
const words = "the cat sat on a mat and looked out of one window at two birds".split(" ");
const sentence = (i: number) => Array.from({ length: 8 }, (_, k) => words[(i * 7 + k * 3) % words.length]).join(" ");
const broken = (i: number) => sentence(i).replace(/\w+ (\w+)/, "$1 $1");

/** A task with its answers by how many twentieths are wrong, how many differ by about the margin, and another truth. */
const tasks = [
  {
    task: "ranking",
    metric: ["ndcg_at_k", "--k", "5"],
    signature: "k:5|gain:linear",
    margin: "0.05",
    between: 3,
    row: (i: number, wrong: number): Row => ({
      relevant: [items[i % 40]],
      ranked: right(i, wrong) ? [items[i % 40], items[(i + 1) % 40]] : [items[(i + 1) % 40], items[(i + 2) % 40]],
    }),
    otherTruth: { relevant: ["another"] },
  },
  {
    task: "token-classification",
    metric: ["entity_f1"],
    signature: "match:strict|average:micro|type:all",
    margin: "0.05",
    between: 3,
    row: (i: number, wrong: number): Row => ({
      label: [{ start: 0, end: 4, type: "PER" }],
      predicted: [{ start: 0, end: right(i, wrong) ? 4 : 5, type: "PER" }],
    }),
    otherTruth: { label: [{ start: 0, end: 4, type: "LOC" }] },
  },
  {
    task: "speech-to-text",
    metric: ["wer", "--normaliser", "lower"],
    signature: "nrefs:1|unit:word|norm:lower.1",
    margin: "0.015",
    between: 4,
    row: (i: number, wrong: number): Row => ({
      reference: sentence(i),
      hypothesis: right(i, wrong) ? sentence(i) : broken(i),
      audio_seconds: 2.5,
    }),
    otherTruth: { reference: "something else" },
  },
  {
    task: "translation",
    metric: ["bleu", "--tokenizer", "intl"],
    signature: "nrefs:1|case:mixed|eff:no|tok:intl|smooth:exp|version:2.6.0-sluice.1",
    margin: "2",
    between: 4,
    row: (i: number, wrong: number): Row => ({
      reference: sentence(i),
      hypothesis: right(i, wrong) ? sentence(i) : broken(i),
    }),
    otherTruth: { reference: ["one", "two"] },
  },
];

describe.each(tasks)("sluice compare --task $task", ({ task, metric, signature, margin, between, row, otherTruth }) => {
  const made = (name: string, wrong: number) =>
    file(
      `${task}-${name}.jsonl`,
      Array.from({ length: rows }, (_, i) => row(i, wrong)),
    );
  const flags = ["--task", task, "--metric", ...metric, "--margin", margin];

  it("is PASS for a candidate that answers like the baseline, with the signature of the metric", async () => {
    const good = made("good", 2);
    const run = await compare(good, good, "--json", ...flags);
    expect(run.code, run.stderr).toBe(0);
    expect(checkOf(run)).toMatchObject({ verdict: "PASS", n: rows, signature, interval: { level: 0.9 } });
  });

  it("is FAIL for one that is far worse, and prints the signature in the terminal and the reports", async () => {
    const run = await compare(made("good", 2), made("bad", 10), "--out", `out-${task}`, ...flags);
    expect(run.code, run.stderr).toBe(1);
    const plain = (text: string) => text.replaceAll("&#124;", "|").replaceAll(/\s/g, "");
    expect(plain(run.stdout)).toContain(signature);
    for (const report of ["report.md", "report.html"])
      expect(plain(readFileSync(join(dir, `out-${task}`, report), "utf8")), report).toContain(signature);
  });

  it("is INCONCLUSIVE for one that may be worse by the margin", async () => {
    const run = await compare(made("good", 2), made("between", between), "--json", ...flags);
    expect(run.code, run.stdout).toBe(3);
    expect(checkOf(run)).toMatchObject({ verdict: "INCONCLUSIVE" });
  });

  it("is INCOMPARABLE where what is true differs, and names the row", async () => {
    const other = file(
      `${task}-other.jsonl`,
      Array.from({ length: rows }, (_, i) => ({ ...row(i, 2), ...(i === 7 ? otherTruth : {}) })),
    );
    const run = await compare(made("good", 2), other, "--json", ...flags);
    expect(run.code).toBe(3);
    expect(checkOf(run)).toMatchObject({ verdict: "INCOMPARABLE", reason: expect.stringContaining("r7") as string });
  });
});

describe("sluice measure", () => {
  it.each([
    ["ranking", "ndcg_at_k recall_at_k precision_at_k map_at_k mrr hit_rate_at_k coverage_at_k"],
    ["token-classification", "entity_f1"],
    ["speech-to-text", "wer cer"],
    ["translation", "bleu chrf"],
  ])("gives every metric of %s with its interval and signature", async (task, metrics) => {
    const { row } = tasks.find((one) => one.task === task)!;
    const name = file(
      `measure-${task}.jsonl`,
      Array.from({ length: rows }, (_, i) => row(i, 4)),
    );
    const run = await sluice(dir, [
      "measure",
      "--predictions",
      name,
      "--task",
      task,
      "--json",
      ...(task === "ranking" ? ["--catalogue-size", "40"] : []),
    ]);
    expect(run.code, run.stderr).toBe(0);
    const { measurements } = metricsFile.parse(JSON.parse(run.stdout)).models[0]!;
    expect(measurements.map((one) => one.metric).join(" ")).toBe(metrics);
    for (const one of measurements) {
      expect(one.result, one.metric).toMatchObject({ status: "ok", interval: { level: 0.95 } });
      expect(one.signature, one.metric).toEqual(expect.any(String));
    }
  });

  it("refuses an option that no metric of the task reads", async () => {
    const name = file("lists.jsonl", [{ relevant: ["a"], ranked: ["a"] }]);
    const run = await sluice(dir, ["measure", "--predictions", name, "--task", "ranking", "--normaliser", "lower"]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain("no metric of this task reads the option normaliser");
  });

  it("says what is left out or empty", async () => {
    const name = file("empty.jsonl", [
      { relevant: [], ranked: ["a"] },
      { relevant: ["a"], ranked: [] },
      { relevant: ["a"], ranked: ["a"] },
    ]);
    const run = await sluice(dir, ["measure", "--predictions", name, "--task", "ranking"]);
    expect(run.stderr).toContain("1 of 3 users have no relevant item and are left out");
    expect(run.stderr).toContain("1 of 3 lists are empty");
  });
});
