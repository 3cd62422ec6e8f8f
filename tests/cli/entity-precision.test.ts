import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { metricsFile } from "../../eval/schema/metrics.ts";
import { verdictFile } from "../../eval/schema/verdict.ts";
import { sluice } from "./sluice.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-entities-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Twenty days with one stolen card, which pays twice, and three others. `finds`: whether its payments come first. */
const payments = (finds: boolean, card = "stolen") =>
  Array.from({ length: 20 }, (_, day) =>
    [
      [card, 1, finds ? 0.9 : 0.2],
      [card, 1, finds ? 0.8 : 0.1],
      ["b", 0, 0.5],
      ["c", 0, 0.4],
      ["d", 0, 0.3],
    ].map(([entity, label, score], i) => `p${day}-${i},${label},${score},d${day},${entity}`),
  )
    .flat()
    .join("\n");
const file = (name: string, rows: string) => {
  writeFileSync(join(dir, name), `id,label,score,group,entity\n${rows}\n`);
  return name;
};
const task = ["--task", "binary-classification"];

describe("precision at k cards a day of prediction files", () => {
  it("is measured beside that of payments, and `entity` is no slice", async () => {
    const run = await sluice(dir, [
      "measure",
      "--predictions",
      file("good.csv", payments(true)),
      ...task,
      "--k",
      "2",
      "--json",
    ]);
    expect(run.code, run.stderr).toBe(0);
    const { measurements } = metricsFile.parse(JSON.parse(run.stdout)).models[0]!;
    const found = measurements.filter(({ metric }) => metric === "precision_at_k");
    expect(found.map(({ signature, result }) => [signature, result.status === "ok" && result.value])).toEqual([
      ["k:2", 1],
      ["k:2|per:entity", 0.5],
    ]);
    expect(measurements.every(({ slice }) => slice === "all")).toBe(true);
  });

  it("is judged with --per entity, and its option stands in the check", async () => {
    const [good, bad] = [file("good.csv", payments(true)), file("bad.csv", payments(false))];
    const asked = ["--metric", "precision_at_k", "--k", "1", "--per", "entity", "--margin", "0.1", "--json"];
    const run = await sluice(dir, ["compare", "--baseline", good, "--candidate", bad, ...task, ...asked]);
    expect(run.code, run.stderr).toBe(1);
    const [check] = verdictFile.parse(JSON.parse(run.stdout)).models[0]!.checks;
    expect(check).toMatchObject({ observed: 0, baseline: 1, signature: "k:1|per:entity", verdict: "FAIL" });
    expect(check!.id).toContain("per=entity");
  });

  it("is INCOMPARABLE where the two files name other cards", async () => {
    const [good, other] = [file("good.csv", payments(true)), file("other.csv", payments(true, "lost"))];
    const asked = ["--metric", "precision_at_k", "--k", "1", "--per", "entity", "--margin", "0.1", "--json"];
    const run = await sluice(dir, ["compare", "--baseline", good, "--candidate", other, ...task, ...asked]);
    expect(run.code).toBe(3);
    expect(verdictFile.parse(JSON.parse(run.stdout))).toMatchObject({ verdict: "INCOMPARABLE" });
    expect(run.stdout).toContain("different entities");
  });

  it("is refused for a wrong word, and for metrics that do not read it", async () => {
    const good = file("good.csv", payments(true));
    const wrong = await sluice(dir, ["measure", "--predictions", good, ...task, "--per", "card"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/row, entity/);
    const asked = ["--metric", "auroc", "--per", "entity", "--margin", "0.1"];
    const unread = await sluice(dir, ["compare", "--baseline", good, "--candidate", good, ...task, ...asked]);
    expect(unread.code).toBe(2);
    expect(unread.stderr).toContain("auroc does not read the option per");
  });
});
