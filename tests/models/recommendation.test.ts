import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { openPredictor, type Predictor } from "../../models/core/predictor/predictor.ts";
import type { RankingResult } from "../../models/core/postprocess/result.ts";
import { json, root, serve, until, type ServerProcess } from "../spaces/server/harness.ts";
import { chromiumPath, openBrowser } from "../spaces/ui/chromium.ts";
import { offline, sha256 } from "./core/build.ts";

type Visitor = { id: string; visited: string[]; next: string[]; popularity: string; history: string };
type Figures = { ndcg_at_10: number; recall_at_20: number; coverage_at_10: number };

const folder = join(root, "models/recommendation");
const read = (path: string): string => readFileSync(join(folder, path), "utf8");
const visitors = read("data/eval.jsonl")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Visitor);
const metrics = JSON.parse(read("train/metrics.json")) as {
  test: Record<string, Figures>;
  "ndcg_at_10 difference, 95 %": [number, number];
};
const pages = read("items.csv")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split(",", 1)[0]!);

const opened: Predictor[] = [];
const scratch = mkdtempSync(join(tmpdir(), "sluice-recommendation-"));
afterAll(async () => {
  await Promise.all(opened.map((predictor) => predictor.close()));
  rmSync(scratch, { recursive: true, force: true });
});
async function open(version: string): Promise<Predictor> {
  const predictor = await openPredictor(await loadManifest(join(folder, version)), {}, offline);
  opened.push(predictor);
  return predictor;
}
const listsOf = async (predictor: Predictor, rows: readonly object[]) =>
  (await predictor.predict(rows as Record<string, unknown>[])).map((one) => {
    if (!one.ok) throw one.error;
    return (one.heads["pages"] as RankingResult).items;
  });
const rankOf = (list: readonly { id: string }[], page: string) => list.findIndex(({ id }) => id === page);
const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const ndcgAt10 = (rank: number) => (rank < 0 || rank >= 10 ? 0 : 1 / Math.log2(rank + 2));

describe("the versions of models/recommendation", () => {
  let history: { id: string; score: number }[][];
  let popularity: typeof history;
  let rounded: typeof history;
  beforeAll(async () => {
    [history, popularity, rounded] = (await Promise.all(
      ["", "production", "int8"].map(async (version) => listsOf(await open(version), visitors)),
    )) as [typeof history, typeof history, typeof history];
  });

  it("rank for 5,000 visitors as their training script says of them", () => {
    for (const [lists, name] of [
      [history, "history (1.1.0)"],
      [popularity, "popularity (1.0.0)"],
      [rounded, "history, weights in int8"],
    ] as const) {
      const ranks = visitors.map(({ next }, i) => rankOf(lists[i]!, next[0]!));
      const { ndcg_at_10: ndcg, recall_at_20: recall, coverage_at_10: coverage } = metrics.test[name]!;
      const covered = new Set(lists.flatMap((list) => list.slice(0, 10).map(({ id }) => id))).size / pages.length;
      // The script rounds int8's weights and not its user vectors.
      const digits = lists === rounded ? 2 : 3;
      expect(mean(ranks.map(ndcgAt10)), name).toBeCloseTo(ndcg, digits);
      expect(mean(ranks.map((rank) => (rank < 0 ? 0 : 1))), name).toBeCloseTo(recall, digits);
      expect(covered, name).toBeCloseTo(coverage, digits);
    }
  });

  it("show a gain over popularity, for every band of popularity and every length of history", () => {
    const [low, high] = metrics["ndcg_at_10 difference, 95 %"];
    expect(low).toBeGreaterThan(0.16);
    expect(high).toBeLessThan(0.2);
    const gains = visitors.map(
      ({ next }, i) => ndcgAt10(rankOf(history[i]!, next[0]!)) - ndcgAt10(rankOf(popularity[i]!, next[0]!)),
    );
    for (const field of ["popularity", "history"] as const)
      for (const value of new Set(visitors.map((one) => one[field])))
        expect(mean(gains.filter((_, i) => visitors[i]![field] === value)), value).toBeGreaterThan(0.05);
  });

  it("agree about the list: int8 keeps 99 % of the 20 pages of float32", () => {
    const shared = history.map((list, i) => {
      const other = new Set(rounded[i]!.map(({ id }) => id));
      return list.filter(({ id }) => other.has(id)).length / list.length;
    });
    expect(mean(shared)).toBeGreaterThan(0.99);
  });

  it("never list a page that was visited, and list 20 different ones", () => {
    for (const lists of [history, popularity, rounded])
      for (const [i, list] of lists.entries()) {
        const listed = new Set(list.map(({ id }) => id));
        expect(listed.size).toBe(20);
        expect(visitors[i]!.visited.filter((page) => listed.has(page))).toEqual([]);
      }
  });

  it("list the best of the whole catalogue: the 20 are those of the training framework, in order", async () => {
    const reference = JSON.parse(read("train/reference.json")) as {
      rows: { visited: string[]; items: { id: string; score: number }[] }[];
    };
    const lists = await listsOf(await open(""), reference.rows);
    for (const [i, { items }] of reference.rows.entries()) {
      expect(lists[i]!.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
      lists[i]!.forEach(({ score }, j) => expect(score).toBeCloseTo(items[j]!.score, 4));
    }
  });

  it("answer alike in every batch; int8's rounding is of a row, not of a batch", async () => {
    const rows = visitors.slice(0, 200);
    for (const version of ["", "production", "int8"])
      expect(await (await open(version)).batchParity(rows), version).toMatchObject({ ok: true });
  });
});

describe("the catalogue of models/recommendation", () => {
  it("is not in the order of popularity: a constant scorer would else be the popularity model", () => {
    const counts = new Map<number, number>();
    for (const line of read("data/visits.csv").trim().split("\n").slice(1))
      for (const page of line.split(",")[1]!.split(" ")) counts.set(Number(page), (counts.get(Number(page)) ?? 0) + 1);
    const popular = [...counts].toSorted((a, b) => b[1] - a[1]).map(([page]) => page);
    const place = popular.slice(0, 100);
    expect(mean(place)).toBeGreaterThan(100);
    expect(mean(place)).toBeLessThan(185);
  });

  it("is one file in all versions, and holds every page of the data", () => {
    for (const version of ["production", "int8"]) expect(read(`${version}/items.csv`)).toBe(read("items.csv"));
    const known = new Set(pages);
    expect(visitors.flatMap(({ visited, next }) => [...visited, ...next]).filter((page) => !known.has(page))).toEqual(
      [],
    );
    expect(new Set(visitors.map(({ id }) => id)).size).toBe(5000);
  });
});

describe("models/recommendation, served", () => {
  let server: ServerProcess;
  const dir = join(scratch, "recommendation");
  beforeAll(async () => {
    cpSync(folder, dir, { recursive: true });
    server = await serve([dir]);
  });
  const ask = async (row: object) => json(await server.post("/predict", row));
  const itemsOf = (answer: object) =>
    (answer as { heads: { pages: RankingResult } }).heads.pages.items.map(({ id, score }) => ({ id, score }));

  it("answers row by row what the gate measures, alone and in a batch", async () => {
    const rows = visitors.filter((_, i) => i % 50 === 0);
    const here = (await listsOf(await open(""), rows)).map((list) => list.map(({ id }) => id));
    const { predictions } = (await json(
      await server.post("/models/recommendation/predict/batch", { rows }),
    )) as unknown as { predictions: object[] };
    expect(predictions.map((one) => itemsOf(one).map(({ id }) => id))).toEqual(here);
    for (const [i, row] of rows.entries()) expect(itemsOf(await ask(row)).map(({ id }) => id)).toEqual(here[i]);
  });

  it("answers a new visitor with the popular pages, and one whose pages are unknown alike", async () => {
    const nobody = itemsOf(await ask({ visited: [] }));
    expect(itemsOf(await ask({ visited: ["a-page-that-came-later"] }))).toEqual(nobody);
    const popular = (await listsOf(await open("production"), [{ visited: [] }]))[0]!.slice(0, 5).map(({ id }) => id);
    expect(nobody.slice(0, 10).map(({ id }) => id)).toEqual(expect.arrayContaining(popular.slice(0, 3)));
  });

  it("refuses a row without a history, and one whose history is no list", async () => {
    expect(await ask({})).toMatchObject({ status: 422, errors: [{ field: "visited" }] });
    expect(await ask({ visited: "windows-95" })).toMatchObject({ status: 422, errors: [{ field: "visited" }] });
  });

  it.skipIf(chromiumPath === undefined)("lists an example's pages by name on its page", async () => {
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ locale: "en-US" });
      page.setDefaultTimeout(10_000);
      await page.goto(server.url);
      await page
        .getByRole("button", { name: /^windows-95/ })
        .first()
        .click();
      const answer = page.getByRole("region", { name: "Answer", exact: true });
      await answer.locator("li").first().waitFor();
      const titleOf = (id: string) => new RegExp(`^${id},(.*)$`, "m").exec(read("items.csv"))![1]!;
      const [first] = itemsOf(await ask({ visited: ["windows-95", "internet-explorer", "free-downloads"] }));
      expect(await answer.locator("li").first().innerText()).toContain(titleOf(first!.id));

      await page.getByLabel("visited").fill("visual-basic\nvisual-c, msdownload");
      await page.getByRole("button", { name: "Predict" }).click();
      const [other] = itemsOf(await ask({ visited: ["visual-basic", "visual-c", "msdownload"] }));
      expect(other!.id).not.toBe(first!.id);
      await answer
        .locator("li", { hasText: titleOf(other!.id) })
        .first()
        .waitFor();
      expect(await answer.locator("li").first().innerText()).toContain(titleOf(other!.id));
    } finally {
      await browser.close();
    }
  });

  it("takes new weights and a new catalogue while it answers, and keeps the old ones when these are damaged", async () => {
    const manifest = readFileSync(join(dir, "model.yaml"), "utf8");
    const replace = (text: string) => {
      writeFileSync(join(dir, "model.yaml.new"), text);
      renameSync(join(dir, "model.yaml.new"), join(dir, "model.yaml"));
    };
    const statuses = new Set<number>();
    const over = new AbortController();
    const asking = (async () => {
      while (!over.signal.aborted) {
        const answer = await server.post("/predict", { visited: ["windows-95"] });
        statuses.add(answer.status);
        await answer.text();
      }
    })();
    try {
      writeFileSync(join(dir, "items-2.csv"), read("items.csv").replace(",Free Downloads", ",Downloads"));
      const second = manifest
        .replace(/^version: .*/m, "version: 1.2.0")
        .replaceAll("path: items.csv", "path: items-2.csv")
        .replaceAll(sha256(read("items.csv")), sha256(readFileSync(join(dir, "items-2.csv"))))
        .replace("path: model.onnx", "path: model-2.onnx")
        .replace(/(?<=model-2.onnx\n\s+sha256: )\w+/, sha256(readFileSync(join(folder, "int8/model.onnx"))));
      cpSync(join(folder, "int8/model.onnx"), join(dir, "model-2.onnx"));
      replace(second);
      await until(async () => (await ask({ visited: [] }))["version"] === "1.2.0" || undefined);
      const { heads } = (await ask({ visited: ["windows-95"] })) as unknown as { heads: { pages: RankingResult } };
      expect(heads.pages.items.find(({ id }) => id === "free-downloads")?.title).toBe("Downloads");

      replace(second.replace("version: 1.2.0", "version: 1.3.0").replaceAll("path: items-2.csv", "path: items.csv"));
      await until(() => server.log().some(({ msg }) => /reload failed/.test(String(msg))) || undefined);
      expect((await ask({ visited: [] }))["version"]).toBe("1.2.0");
    } finally {
      over.abort();
      await asking;
    }
    expect([...statuses]).toEqual([200]);
  });
});
