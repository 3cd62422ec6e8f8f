import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aboutRows } from "../../eval/power/rows-needed.ts";
import { planFile, type PlanFile } from "../../eval/schema/plan.ts";
import { verdictFile, type VerdictFile } from "../../eval/schema/verdict.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { compileStep } from "../../models/core/preprocess/compile-step.ts";
import { readModelFiles } from "../../models/core/predictor/model-files.ts";
import { sluice, type Run } from "../cli/sluice.ts";
import { json, root, serve, type ServerProcess } from "../spaces/server/harness.ts";
import { chromiumPath, openBrowser } from "../spaces/ui/chromium.ts";

type EmojiRow = {
  id: string;
  name: string;
  picture: string;
  category: string;
  count: number;
  log_count: number;
  popular: boolean;
  family: string;
};
type Answer = { popular: { label: string; score: number }; log_count: { value: number } };

const read = (path: string): string => readFileSync(join(root, path), "utf8");
const rows = read("models/emoji/data/eval.jsonl")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as EmojiRow);
const out = mkdtempSync(join(tmpdir(), "sluice-emoji-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("the gate of models/emoji", () => {
  const config = ["--config", "models/emoji/sluice.yaml"];
  const baseline = ["--baseline", "models/emoji/production"];
  const wide = { COLUMNS: "100" };
  let gated: Run;
  let verdict: VerdictFile;
  let planned: Run;
  let plan: PlanFile;
  beforeAll(async () => {
    gated = await sluice(root, ["gate", ...config, ...baseline, "--out", out], wide);
    verdict = verdictFile.parse(JSON.parse(readFileSync(join(out, "verdict.json"), "utf8")));
    const [shown, parsed] = await Promise.all([
      sluice(root, ["plan", ...config, ...baseline], wide),
      sluice(root, ["plan", ...config, ...baseline, "--json"]),
    ]);
    planned = shown;
    plan = planFile.parse(JSON.parse(parsed.stdout));
  });

  it("is INCONCLUSIVE, because intervals hold losses on both sides of the margin", () => {
    expect(gated.code, gated.stderr).toBe(3);
    expect(verdict.verdict).toBe("INCONCLUSIVE");
    const open = verdict.models[0]!.checks.filter((check) => check.verdict === "INCONCLUSIVE");
    expect(open.map(({ metric, slice }) => `${metric} ${slice}`)).toEqual(
      expect.arrayContaining(["auroc all", "mae all"]),
    );
    for (const { interval, margin, direction } of open) {
      const [worst, best] =
        direction === "higher" ? [interval!.low, interval!.high] : [-interval!.high, -interval!.low];
      expect(worst).toBeLessThan(-margin!);
      expect(best).toBeGreaterThan(-margin!);
    }
    expect(readFileSync(join(out, "report.md"), "utf8")).toContain(
      "INCONCLUSIVE means: not enough data or time to decide.",
    );
  });

  it("decides every limit on the same rows", () => {
    const limits = verdict.models[0]!.checks.filter(({ kind }) => kind === "limit");
    expect(limits.map(({ metric, verdict: word }) => [metric, word])).toEqual(
      expect.arrayContaining([
        ["auroc", "PASS"],
        ["mae", "PASS"],
        ["latency_p50_ms", "PASS"],
        ["model_bytes", "PASS"],
      ]),
    );
  });

  it("says in its report and in its plan how many rows would decide: more than there are emoji with a count", () => {
    expect(planned.code).toBe(2);
    const needed = plan.models[0]!.checks.filter(({ kind, slice }) => kind === "non-inferiority" && slice === "all");
    expect(needed.map(({ metric }) => metric)).toEqual(["auroc", "mae"]);
    for (const { rowsNeeded, n, smallestChange, margin, refused } of needed) {
      expect(n).toBe(rows.length);
      expect(rowsNeeded).toBe(Math.ceil(n * (smallestChange! / margin!) ** 2));
      expect(rowsNeeded).toBeGreaterThan(736);
      expect(refused).toContain(`About ${aboutRows(rowsNeeded!)} rows of this kind would do`);
    }
    const report = readFileSync(join(out, "report.md"), "utf8");
    expect(report).toMatch(/auroc about 1,800 in place of 246, .*mae about 980 in place of 246/);
  });

  it("is in docs/inconclusive.md as the commands print it", () => {
    const printed = new Set(`${gated.stdout}\n${planned.stdout}`.split("\n").map((line) => line.trimEnd()));
    const blocks = [...read("docs/inconclusive.md").matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block]) =>
      block!.trimEnd().split("\n"),
    );
    const shown = blocks.filter((line) => !/^(\$ |\d$| …$)/.test(line));
    expect(shown.length).toBeGreaterThan(40);
    expect(shown.filter((line) => !printed.has(line.trimEnd()))).toEqual([]);
  });

  it("fails a candidate that is much worse, on the same few rows", async () => {
    const file = join(out, "predictions/emoji/popular.baseline.csv");
    const worse = join(out, "worse.csv");
    // Every second score is reversed.
    writeFileSync(
      worse,
      readFileSync(file, "utf8").replaceAll(
        /^(\w[\w-]*,[01]),([\d.e-]+),/gm,
        (line, before: string, score: string, at: number) => (at % 2 === 0 ? `${before},${1 - Number(score)},` : line),
      ),
    );
    const run = await sluice(root, [
      "compare",
      "--baseline",
      file,
      "--candidate",
      worse,
      "--task",
      "binary-classification",
      "--metric",
      "auroc",
      "--margin",
      "0.01",
      "--out",
      join(out, "compare"),
      "--json",
    ]);
    expect(run.code, run.stderr).toBe(1);
  });
});

describe("the data of models/emoji", () => {
  it("are a third of the emoji, popular from 150 occurrences on, in well under a megabyte", () => {
    expect(new Set(rows.map(({ id }) => id)).size).toBe(246);
    expect(rows.filter(({ popular }) => popular)).toHaveLength(50);
    for (const row of rows) {
      expect(row.popular).toBe(row.count >= 150);
      expect(row.log_count).toBeCloseTo(Math.log10(row.count), 5);
    }
    expect(read("models/emoji/data/eval.jsonl").length).toBeLessThan(600_000);
  });
});

describe("models/emoji, served", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await serve(["models/emoji"]);
  });
  const ask = async (row: object) => json(await server.post("/predict", row));

  it("answers what its training script computed, alone and in a batch", async () => {
    const reference = JSON.parse(read("models/emoji/train/reference.json")) as {
      id: string;
      ids: number[];
      popular: number;
      log_count: number;
    }[];
    expect(reference).toHaveLength(21);
    const wanted = reference.map(({ id }) => rows.find((row) => row.id === id)!);
    const batch = (await json(await server.post("/models/emoji/predict/batch", { rows: wanted }))) as unknown as {
      predictions: { heads: Answer }[];
    };
    const tokens = await tokensOf(wanted);
    for (const [i, { ids, popular, log_count }] of reference.entries()) {
      expect(tokens[i]).toEqual(ids);
      const alone = (await ask(wanted[i]!))["heads"] as unknown as Answer;
      for (const heads of [alone, batch.predictions[i]!.heads]) {
        expect(heads.popular.score).toBeCloseTo(popular, 5);
        expect(heads.log_count.value).toBeCloseTo(log_count, 5);
        expect(heads.popular.label).toBe(popular > 0.5 ? "popular" : "other");
      }
    }
  });

  it("refuses an unknown category and an invalid picture, and accepts an unknown subcategory", async () => {
    const row = rows[0]!;
    expect(await ask({ ...row, category: "Weather" })).toMatchObject({
      status: 422,
      errors: [{ field: "category", problem: "an unknown category" }],
    });
    expect(await ask({ ...row, picture: "data:image/png;base64,AAAA" })).toMatchObject({
      status: 422,
      errors: [{ field: "picture", problem: "the image cannot be decoded" }],
    });
    expect(await ask({ ...row, subcategory: "made-up" })).toMatchObject({
      heads: { popular: { kind: "classification" } },
    });
  });

  it.skipIf(chromiumPath === undefined)("answers an example of its page with both heads", async () => {
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ locale: "en-US" });
      page.setDefaultTimeout(10_000);
      await page.goto(server.url);
      await page.getByRole("button", { name: /^white small square/ }).click();
      const answer = page.getByRole("region", { name: "Answer", exact: true });
      await answer.locator(".result-main").first().waitFor();
      const heads = (await ask(rows.find(({ name }) => name === "white small square")!))["heads"] as unknown as Answer;
      expect(await answer.innerText()).toContain(`other\n${(100 * (1 - heads.popular.score)).toFixed(1)} %`);
      expect(await answer.locator(".result-main").last().getAttribute("title")).toBe(String(heads.log_count.value));
    } finally {
      await browser.close();
    }
  });
});

/** Token ids of the names, from the manifest's own text step. */
async function tokensOf(wanted: readonly EmojiRow[]): Promise<(readonly number[])[]> {
  const loaded = await loadManifest(join(root, "models/emoji"));
  const { steps: files } = await readModelFiles(loaded);
  const step = compileStep(loaded.manifest.preprocess["tokens"]!, files["tokens"]!, String);
  return Promise.all(
    wanted.map(async (row) => {
      const prepared = await step.prepare(row);
      return prepared.kind === "tokens" ? prepared.ids : [];
    }),
  );
}
