import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { metricsFile } from "../../eval/schema/metrics.ts";
import { verdictFile, type VerdictFile } from "../../eval/schema/verdict.ts";
import { sluice, type Run } from "./sluice.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-compare-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Scores that rank 400 rows nearly right; of each 97 rows, `flips` are ranked the wrong way round. */
function predictions(
  flips: number,
  change: (row: { id: string; label: string; score: string; source: string }, i: number) => object = (row) => row,
): string {
  const lines = Array.from({ length: 400 }, (_, i) => {
    const label = i % 2;
    const right = i % 97 >= flips;
    const score = (right ? label : 1 - label) * 0.5 + ((i * 31) % 100) / 200;
    return change({ id: `r${i}`, label: String(label), score: String(score), source: i % 3 === 0 ? "web" : "app" }, i);
  });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}
const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return name;
};
const compare = (baseline: string, candidate: string, ...more: string[]) =>
  sluice(dir, [
    "compare",
    "--baseline",
    baseline,
    "--candidate",
    candidate,
    "--task",
    "binary-classification",
    "--metric",
    "auroc",
    "--margin",
    "0.05",
    "--json",
    ...more,
  ]);
const verdictOf = (run: Run): VerdictFile => verdictFile.parse(JSON.parse(run.stdout));

describe("sluice compare", () => {
  it("judges two files: PASS, FAIL, and INCONCLUSIVE between them", async () => {
    file("good.jsonl", predictions(4));
    file("bad.jsonl", predictions(30));
    expect((await compare("good.jsonl", "good.jsonl")).code).toBe(0);
    const fail = await compare("good.jsonl", "bad.jsonl");
    expect(fail.code).toBe(1);
    expect(verdictOf(fail).models[0]?.checks[0]).toMatchObject({
      metric: "auroc",
      verdict: "FAIL",
      margin: 0.05,
      n: 400,
      interval: { level: 0.9 },
    });
    file("worse.jsonl", predictions(8));
    expect((await compare("good.jsonl", "worse.jsonl", "--margin", "0.03")).code).toBe(3);
  });

  it("reads CSV beside JSON Lines, judges slices, and knows a relative margin", async () => {
    const rows = predictions(4)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    file(
      "good.csv",
      [
        "id,label,score,source",
        ...rows.map((row) => [row["id"], row["label"], row["score"], row["source"]].join(",")),
      ].join("\n"),
    );
    const run = await compare("good.jsonl", "good.csv", "--slices", "source", "--margin", "5%");
    expect(run.code, run.stderr).toBe(0);
    expect(
      verdictOf(run)
        .models[0]?.checks.map((check) => check.slice)
        .toSorted(),
    ).toEqual(["source=app", "source=web"]);
  });

  it("is INCOMPARABLE with different rows or labels, and names the first that differ", async () => {
    file("good.jsonl", predictions(4));
    file("fewer.jsonl", predictions(4).split("\n").slice(2).join("\n"));
    const rows = await compare("good.jsonl", "fewer.jsonl");
    expect(rows.code).toBe(3);
    expect(verdictOf(rows).models[0]?.checks[0]).toMatchObject({
      verdict: "INCOMPARABLE",
      reason: "different rows: only the baseline has r0, r1",
    });
    const shifted = predictions(4, (row, i) => ({ ...row, id: i < 7 ? `new${i}` : row.id }));
    file("shifted.jsonl", shifted);
    expect(verdictOf(await compare("good.jsonl", "shifted.jsonl")).models[0]?.checks[0]).toMatchObject({
      verdict: "INCOMPARABLE",
      reason:
        "different rows: only the candidate has new0, new1, new2, … (7 in all); only the baseline has r0, r1, r2, … (7 in all)",
    });
    file(
      "relabelled.jsonl",
      predictions(4, (row, i) => (i === 7 ? { ...row, label: "0" } : row)),
    );
    const labels = await compare("good.jsonl", "relabelled.jsonl");
    expect(verdictOf(labels)).toMatchObject({ verdict: "INCOMPARABLE", reason: expect.stringContaining("r7") });
  });

  it("is INCOMPARABLE where weights, groups or slices differ, or only one file has them", async () => {
    const columns = { weight: "1", group: "g", source: "web" };
    const withColumns = (change: Record<string, string | undefined>) =>
      predictions(4, (row, i) => ({ ...row, ...columns, ...(i === 5 ? change : {}) }));
    const without = (column: keyof typeof columns) =>
      predictions(4, (row) => {
        const { [column]: _, ...rest } = { ...row, ...columns };
        return rest;
      });
    file("whole.jsonl", withColumns({}));
    for (const [name, text, reason] of [
      ["weight", withColumns({ weight: "2" }), /different weights: r5 \(1 against 2\)/],
      ["group", withColumns({ group: "h" }), /different groups: r5 \(g against h\)/],
      ["slice", withColumns({ source: "app" }), /slice column "source": r5 \(web against app\)/],
      ["no weights", without("weight"), /only the candidate has weights/],
      ["no groups", without("group"), /only the candidate has groups/],
      ["no slices", without("source"), /only the candidate has .*"source"/],
    ] as const) {
      file("other.jsonl", text);
      const run = await compare("other.jsonl", "whole.jsonl", "--slices", "source");
      expect(verdictOf(run), name).toMatchObject({ verdict: "INCOMPARABLE", reason: expect.stringMatching(reason) });
      expect(run.code).toBe(3);
    }
  });

  it("writes over no symbolic link, and into no folder that one leads to", async () => {
    file("good.jsonl", predictions(4));
    const elsewhere = join(dir, "elsewhere");
    mkdirSync(elsewhere, { recursive: true });
    symlinkSync(elsewhere, join(dir, "linked"));
    for (const out of ["linked", "linked/below"]) {
      const refused = await compare("good.jsonl", "good.jsonl", "--out", out);
      expect([refused.code, refused.stdout], out).toEqual([2, ""]);
      expect(refused.stderr).toContain("a symbolic link stands where");
    }
    mkdirSync(join(dir, "own"));
    const kept = join(elsewhere, "kept");
    writeFileSync(kept, "mine");
    for (const path of ["verdict.json", "report.html", "report.md"]) symlinkSync(kept, join(dir, "own", path));
    expect((await compare("good.jsonl", "good.jsonl", "--out", "own")).code).toBe(0);
    expect(readdirSync(elsewhere)).toEqual(["kept"]);
    expect(readFileSync(kept, "utf8")).toBe("mine");
    expect(lstatSync(join(dir, "own/verdict.json")).isFile()).toBe(true);
  });

  it("leaves no older result behind when it cannot read", async () => {
    file("good.jsonl", predictions(4));
    expect((await compare("good.jsonl", "good.jsonl", "--out", "again")).code).toBe(0);
    expect(existsSync(join(dir, "again/verdict.json"))).toBe(true);
    expect((await compare("good.jsonl", "nowhere.jsonl", "--out", "again")).code).toBe(4);
    expect(existsSync(join(dir, "again/verdict.json"))).toBe(false);
  });

  it("computes nothing but the metric that is asked for", async () => {
    const run = await compare("good.jsonl", "good.jsonl", "--slices", "source", "--out", "only");
    expect(run.code, run.stderr).toBe(0);
    const { models } = metricsFile.parse(JSON.parse(readFileSync(join(dir, "only/metrics.json"), "utf8")));
    expect(models.map(({ role, measurements }) => [role, [...new Set(measurements.map((one) => one.metric))]])).toEqual(
      [
        ["candidate", ["auroc"]],
        ["baseline", ["auroc"]],
      ],
    );
    expect(models[0]?.measurements.map((one) => one.slice)).toEqual(["all", "source=web", "source=app"]);
  });

  it("shows the baseline's figure of every slice, though its file has another name", async () => {
    file("worse.jsonl", predictions(8));
    await compare("good.jsonl", "worse.jsonl", "--slices", "source", "--out", "named");
    const report = readFileSync(join(dir, "named/report.md"), "utf8");
    const [, table] = /<summary>Slices of the candidate([\s\S]*?)<\/details>/.exec(report)!;
    const cells = table!.split("\n").filter((line) => line.includes("source="));
    expect(cells.map((line) => line.split("|")[4]?.trim())).toEqual([
      expect.stringMatching(/^0\.\d+$/),
      expect.stringMatching(/^0\.\d+$/),
    ]);
  });

  it("reads a European file, says what it took for granted, and takes a declared encoding", async () => {
    const rows = predictions(4)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    const text = [
      "id;label;score;Straße",
      ...rows.map((row) => [row["id"], row["label"], row["score"]?.replace(".", ","), "Königsweg"].join(";")),
    ].join("\r\n");
    writeFileSync(join(dir, "eu.csv"), Buffer.from(text, "latin1"));
    const refused = await compare("eu.csv", "eu.csv");
    expect(refused.code).toBe(4);
    expect(refused.stderr).toMatch(/eu\.csv:1[^]*DF 65[^]*windows-1252 \(Latin-1\)[^]*--encoding windows-1252/);
    const run = await compare("eu.csv", "eu.csv", "--encoding", "windows-1252", "--slices", "Straße");
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/semicolon[^]*decimal comma/);
    expect(verdictOf(run).models[0]).toMatchObject({
      notes: expect.arrayContaining([expect.stringContaining("decimal comma")]),
      checks: [{ slice: "Straße=Königsweg" }],
    });
    const wrong = await compare("eu.csv", "eu.csv", "--delimiter", "x");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("--delimiter ';'");
  });

  it("judges files with a column per class", async () => {
    const rows = predictions(4)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: string; label: string; score: string });
    const text = rows.map(
      ({ id, label, score }) => `${id},${label === "1" ? "yes" : "no"},${1 - Number(score)},${score}`,
    );
    file("classes.csv", ["id,label,p_no,p_yes", ...text].join("\n"));
    const run = await compare("classes.csv", "classes.csv");
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/p_yes is taken as the score/);
    const same = await compare("good.jsonl", "good.jsonl");
    expect(verdictOf(run).models[0]?.checks[0]?.observed).toBe(verdictOf(same).models[0]?.checks[0]?.observed);
  });

  it("is INCONCLUSIVE below the minimum of a class, and says how many are needed", async () => {
    const few = predictions(4).split("\n").slice(0, 30).join("\n");
    const run = await compare(file("few.jsonl", few), "few.jsonl");
    expect(run.code).toBe(3);
    expect(verdictOf(run).models[0]?.checks[0]?.reason).toMatch(/15 positives and 15 negatives, and 30 of each class/);
  });

  it.each([
    ["a NaN score", predictions(4, (row, i) => (i === 3 ? { ...row, score: "NaN" } : row)), /nan\.jsonl:4/, 4],
    ["a duplicate id", predictions(4, (row, i) => (i === 3 ? { ...row, id: "r1" } : row)), /nan\.jsonl:4[\s\S]*r1/, 4],
    ["a missing column", predictions(4, ({ score: _, ...row }) => row), /score/, 4],
    ["an empty file", "", /no rows|empty/, 4],
  ])("exit 4 on %s, with the place", async (_, text, message, code) => {
    file("nan.jsonl", text);
    const run = await compare("good.jsonl", "nan.jsonl");
    expect(run.code).toBe(code);
    expect(run.stderr).toMatch(message);
    expect(run.stdout).toBe("");
  });

  it.each([
    [["compare", "--baseline", "good.jsonl"], /--candidate/],
    [
      ["compare", "--baseline", "good.jsonl", "--candidate", "good.jsonl", "--task", "guessing", "--metric", "auroc"],
      /binary-classification/,
    ],
    [
      [
        "compare",
        "--baseline",
        "good.jsonl",
        "--candidate",
        "good.jsonl",
        "--task",
        "binary-classification",
        "--metric",
        "auc",
        "--margin",
        "1",
      ],
      /auroc/,
    ],
    [
      [
        "compare",
        "--baseline",
        "good.jsonl",
        "--candidate",
        "good.jsonl",
        "--task",
        "binary-classification",
        "--metric",
        "auroc",
      ],
      /needs --margin/,
    ],
    [
      [
        "compare",
        "--baseline",
        "good.jsonl",
        "--candidate",
        "good.jsonl",
        "--task",
        "binary-classification",
        "--metric",
        "auroc",
        "--margin",
        "-1",
      ],
      /at least 0/,
    ],
  ])("exit 2 on wrong flags: %j", async (args, message) => {
    const run = await sluice(dir, args);
    expect(run.code, run.stderr).toBe(2);
    expect(run.stderr).toMatch(message);
  });
});

describe("sluice measure", () => {
  it("has no interval where all rows are one group, in the form that its schema allows", async () => {
    file(
      "group.jsonl",
      predictions(4, (row) => ({ id: row.id, label: row.label, score: row.score, group: "g" })),
    );
    const run = await sluice(dir, [
      "measure",
      "--predictions",
      "group.jsonl",
      "--task",
      "binary-classification",
      "--json",
      "--out",
      "g",
    ]);
    expect(run.code, run.stderr).toBe(0);
    const { models } = metricsFile.parse(JSON.parse(run.stdout));
    expect(models[0]?.measurements.find((one) => one.metric === "auroc")?.result).toMatchObject({
      status: "ok",
      interval: null,
    });
  });

  it("measures every metric of the task with intervals, in all and each slice, and judges nothing", async () => {
    const run = await sluice(dir, [
      "measure",
      "--predictions",
      file("m.jsonl", predictions(4)),
      "--task",
      "binary-classification",
      "--json",
      "--out",
      "m",
    ]);
    expect(run.code, run.stderr).toBe(0);
    const metrics = metricsFile.parse(JSON.parse(run.stdout));
    expect(JSON.parse(readFileSync(join(dir, "m/metrics.json"), "utf8"))).toEqual(metrics);
    const measurements = metrics.models[0]?.measurements ?? [];
    expect([...new Set(measurements.map((one) => one.slice))].toSorted()).toEqual(["all", "source=app", "source=web"]);
    const auroc = measurements.find((one) => one.metric === "auroc" && one.slice === "all")?.result;
    expect(auroc).toMatchObject({ status: "ok", n: 400, interval: { level: 0.95 } });
    expect(
      measurements
        .filter((one) => one.result.status === "ok")
        .every((one) => one.result.status === "ok" && Number.isFinite(one.result.value)),
    ).toBe(true);
  });

  it("takes MASE's scale from a column or a flag, explains it when it is missing, and refuses both", async () => {
    const rows = (more: object) =>
      Array.from(
        { length: 60 },
        (_, i) => `${JSON.stringify({ id: `r${i}`, label: i, score: i + Math.sin(i), ...more })}\n`,
      ).join("");
    file("plain.jsonl", rows({}));
    file("scaled.jsonl", rows({ naive_scale: 4 }));
    const measured = async (name: string, ...more: string[]) => {
      const run = await sluice(dir, ["measure", "--predictions", name, "--task", "forecasting", "--json", ...more]);
      return run.code === 0
        ? metricsFile.parse(JSON.parse(run.stdout)).models[0]?.measurements.find((one) => one.metric === "mase")?.result
        : run;
    };
    const [byColumn, byFlag] = [await measured("scaled.jsonl"), await measured("plain.jsonl", "--naive-scale", "4")];
    expect(byColumn).toMatchObject({ status: "ok", n: 60 });
    expect(byFlag).toEqual(byColumn);
    expect(await measured("plain.jsonl")).toBeUndefined();
    expect(await measured("scaled.jsonl", "--naive-scale", "4")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/column naive_scale of its own/) as string,
    });
    const compared = (name: string) =>
      sluice(dir, [
        "compare",
        "--baseline",
        name,
        "--candidate",
        name,
        "--task",
        "forecasting",
        "--metric",
        "mase",
        "--margin",
        "0.5",
        "--json",
      ]);
    expect((await compared("scaled.jsonl")).code).toBe(0);
    const without = await compared("plain.jsonl");
    expect(without.code).toBe(4);
    expect(verdictOf(without).models[0]?.checks[0]).toMatchObject({
      verdict: "ERROR",
      reason: expect.stringMatching(/no naive scale.*naive_scale/) as string,
    });
  });

  it("says why a metric is undefined instead of printing 0", async () => {
    const run = await sluice(dir, [
      "measure",
      "--predictions",
      file(
        "one.jsonl",
        predictions(0, (row) => ({ ...row, label: "1" })),
      ),
      "--task",
      "binary-classification",
      "--json",
    ]);
    expect(run.code, run.stderr).toBe(0);
    const auroc = metricsFile
      .parse(JSON.parse(run.stdout))
      .models[0]?.measurements.find((one) => one.metric === "auroc")?.result;
    expect(auroc).toMatchObject({ status: "undefined", reason: "there are no negative rows" });
  });
});
