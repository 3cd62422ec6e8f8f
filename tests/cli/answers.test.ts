import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
  sluice(dir, ["compare", "--baseline", baseline, "--candidate", candidate, "--json", ...more]);
const checkOf = (run: Run) => (verdictFile.parse(JSON.parse(run.stdout)) as VerdictFile).models[0]?.checks[0];

const rows = 300;
const items = Array.from({ length: 40 }, (_, i) => `item-${i}`);
/** Row i is answered rightly unless i % 20 is below `wrong`, in twentieths of the rows. */
const right = (i: number, wrong: number) => i % 20 >= wrong;
const words = "the cat sat on a mat and looked out of one window at two birds".split(" ");
const sentence = (i: number) => Array.from({ length: 8 }, (_, k) => words[(i * 7 + k * 3) % words.length]).join(" ");
const broken = (i: number) => sentence(i).replace(/\w+ (\w+)/, "$1 $1");

/** A task with its answers by how many twentieths are wrong, and a row with another truth. */
const tasks = [
  {
    task: "ranking",
    metric: ["ndcg_at_k", "--k", "5"],
    signature: "k:5|gain:linear",
    margin: "0.05",
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
    row: (i: number, wrong: number): Row => ({
      reference: sentence(i),
      hypothesis: right(i, wrong) ? sentence(i) : broken(i),
    }),
    otherTruth: { reference: ["one", "two"] },
  },
];

describe.each(tasks)("sluice compare --task $task", ({ task, metric, signature, margin, row, otherTruth }) => {
  const made = (name: string, wrong: number) =>
    file(
      `${task}-${name}.jsonl`,
      Array.from({ length: rows }, (_, i) => row(i, wrong)),
    );
  const flags = ["--task", task, "--metric", ...metric, "--margin", margin];

  it("is PASS, FAIL, INCONCLUSIVE and INCOMPARABLE, with the signature of the metric", async () => {
    const [good, bad, between] = [made("good", 2), made("bad", 10), made("between", 3)];
    const pass = await compare(good, good, ...flags);
    expect(pass.code, pass.stderr).toBe(0);
    expect(checkOf(pass)).toMatchObject({ verdict: "PASS", n: rows, signature, interval: { level: 0.9 } });
    const fail = await compare(good, bad, ...flags);
    expect(fail.code, fail.stderr).toBe(1);
    expect(checkOf(fail)).toMatchObject({ verdict: "FAIL" });
    const open = await compare(good, between, ...flags);
    expect(open.code, open.stdout).toBe(3);
    expect(checkOf(open)).toMatchObject({ verdict: "INCONCLUSIVE" });
    const other = file(
      `${task}-other.jsonl`,
      Array.from({ length: rows }, (_, i) => ({ ...row(i, 2), ...(i === 7 ? otherTruth : {}) })),
    );
    const apart = await compare(good, other, ...flags);
    expect(apart.code).toBe(3);
    expect(checkOf(apart)).toMatchObject({ verdict: "INCOMPARABLE", reason: expect.stringContaining("r7") as string });
  });

  it("prints the signature in the terminal and in both reports", async () => {
    const run = await sluice(dir, ["compare", "--baseline", made("good", 2), "--candidate", made("bad", 10), ...flags]);
    expect(run.stdout.replaceAll(/\s/g, "")).toContain(signature);
  });
});

describe("sluice measure", () => {
  it("gives every metric of the task with its interval and signature", async () => {
    const wanted: Record<string, string[]> = {
      ranking: ["ndcg_at_k", "recall_at_k", "precision_at_k", "map_at_k", "mrr", "hit_rate_at_k", "coverage_at_k"],
      "token-classification": ["entity_f1"],
      "speech-to-text": ["wer", "cer"],
      translation: ["bleu", "chrf"],
    };
    for (const { task, row } of tasks) {
      const name = file(
        `measure-${task}.jsonl`,
        Array.from({ length: rows }, (_, i) => row(i, 4)),
      );
      const run = await sluice(dir, [
        ...["measure", "--predictions", name, "--task", task, "--json"],
        ...(task === "ranking" ? ["--catalogue-size", "40"] : []),
      ]);
      expect(run.code, run.stderr).toBe(0);
      const { measurements } = metricsFile.parse(JSON.parse(run.stdout)).models[0]!;
      expect(measurements.map((one) => one.metric)).toEqual(wanted[task]);
      for (const one of measurements) {
        expect(one.result, one.metric).toMatchObject({ status: "ok" });
        expect(one.signature, one.metric).toEqual(expect.any(String));
      }
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
