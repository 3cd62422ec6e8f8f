import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareFiles } from "../../../eval/compare.ts";
import { predictShard } from "../../../eval/gate.ts";
import { planGate } from "../../../eval/plan.ts";
import type { VerdictFile } from "../../../eval/schema/verdict.ts";
import { folderWith } from "../dataset/build.ts";
import { sha256 } from "../gate/run.ts";
import { gateOf, verdictOn } from "../gate/verdict-on.ts";
import { dark, sidesManifest, sidesRepository, type Augmentations } from "./team.ts";

const noisy: Augmentations[number] = { name: "noisy", kind: "image-noise", field: "picture", level: 0.05, rows: 40 };
const request = { configFile: "sluice.yaml", models: [], baseline: "auto" as const, seed: 1, performance: false };
const deps = (cache = join(folderWith({}), "cache")) => ({
  env: { ...process.env, SLUICE_CACHE: cache },
  now: () => new Date(0),
  fetch,
  onEvent: () => {},
});
const checksOf = ({ models }: VerdictFile) => models[0]!.checks.map((one) => [one.slice, one.verdict, one.n]);

describe("a model that is blind in the dark", () => {
  it("FAILs on the slice, while the figure over all rows PASSes", async () => {
    const team = await sidesRepository([dark, noisy]);
    team.model("sides-blind", {}, [dark, noisy]);
    const { verdict, files } = await gateOf(team.dir);
    expect(checksOf(verdict)).toEqual([
      ["all", "PASS", 64],
      ["augmentation=dark", "FAIL", 64],
      ["augmentation=noisy", "PASS", 40],
    ]);
    expect(verdict.verdict).toBe("FAIL");
    const [model] = verdict.models;
    expect(model?.augmentations).toEqual([
      { name: "dark", what: "picture: brightness × 0.5", rows: 64 },
      { name: "noisy", what: "picture: noise of 0.05, 40 rows", rows: 40 },
    ]);
    expect(model?.notes.join("\n")).toMatch(/Slices shown to have regressed at 0.05: accuracy on augmentation=dark/);

    const html = readFileSync(files.html, "utf8");
    expect(html).toMatch(/<h3>Augmentations<\/h3>.*dark <small>picture: brightness × 0.5.*0\.5000/s);
    // Before and after, of both.
    expect(html.match(/<img src="data:image\/jpeg;base64,[\w+/=]+" width="160" height="160"/g)?.length).toBe(4);
    const markdown = readFileSync(files.markdown, "utf8");
    expect(markdown).toMatch(/Altered copies of the rows by accuracy@.*side: 2 augmentations/);
  });
});

describe("copies", () => {
  it("count in their slices and in nothing else", async () => {
    const team = await sidesRepository([]);
    team.model("sides-blind", {}, []);
    const without = await gateOf(team.dir);
    const altered = await sidesRepository([dark, noisy]);
    const { gates } = sidesManifest("sides-blind", {}, []);
    altered.model("sides-blind", { gates: gates! }, [dark, noisy]);
    const withCopies = await gateOf(altered.dir, { baseline: "none" });
    const alone = await gateOf(team.dir, { baseline: "none" });
    const plain = (outcome: typeof alone) =>
      outcome.metrics.models.map(({ dataset: { digest: _, ...dataset }, measurements, batchParity }) => ({
        dataset,
        batchParity,
        measurements: measurements.filter(({ slice }) => !slice.startsWith("augmentation=")),
      }));
    expect(plain(withCopies)).toEqual(plain(alone));
    expect(withCopies.verdict.models[0]?.notes).toEqual(alone.verdict.models[0]?.notes);
    expect(withCopies.verdict.models[0]?.dataset?.digest).not.toBe(alone.verdict.models[0]?.dataset?.digest);
    expect(without.metrics.models[0]!.measurements.some(({ slice }) => slice.startsWith("augmentation"))).toBe(false);
    const slices = new Set(withCopies.metrics.models[0]!.measurements.map(({ slice }) => slice));
    expect([...slices]).toEqual(["all", "camera=old", "camera=new", "augmentation=dark", "augmentation=noisy"]);
  });

  it("are planned for as slices of their own size", async () => {
    const team = await sidesRepository([dark, noisy]);
    team.model("sides-blind", {}, [dark, noisy]);
    const { models } = await planGate({ ...request, root: team.dir, out: folderWith({}), correlation: 0.95 }, deps());
    expect(models[0]?.dataset.rows).toBe(64);
    expect(models[0]?.checks.map(({ slice, n }) => [slice, n])).toEqual([
      ["all", 64],
      ["augmentation=dark", 64],
      ["augmentation=noisy", 40],
    ]);
  });

  it("come from the cache", async () => {
    const team = await sidesRepository();
    team.model("sides-blind");
    const cache = join(folderWith({}), "cache");
    const chunks = () =>
      readdirSync(join(cache, "predictions"), { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile()
          ? [`${entry.parentPath}/${entry.name} ${statSync(join(entry.parentPath, entry.name)).mtimeMs}`]
          : [],
      );
    const first = await gateOf(team.dir, {}, { env: { SLUICE_CACHE: cache } });
    const kept = chunks();
    // Rows and copies, of candidate and baseline.
    expect(kept.length).toBe(4);
    const again = await gateOf(team.dir, {}, { env: { SLUICE_CACHE: cache } });
    expect(chunks()).toEqual(kept);
    expect(again.verdict.models[0]?.checks).toEqual(first.verdict.models[0]?.checks);
  });

  it("are in the prediction file, where compare finds the gate's figures again", async () => {
    const team = await sidesRepository([dark, noisy]);
    team.model("sides-blind", {}, [dark, noisy]);
    const out = folderWith({});
    const { verdict } = await gateOf(team.dir, { out });
    const file = (role: string) => join(out, "predictions/sides", `side.${role}.csv`);
    const [header, ...lines] = readFileSync(file("candidate"), "utf8").trimEnd().split("\n");
    expect(header).toBe("id,label,score,camera,augmentation");
    expect(lines.length).toBe(168);
    expect(lines[0]).toMatch(/^p0,0,.*,old,""$/);
    expect(lines[64]).toMatch(/^dark\/p0,0,.*,old,dark$/);
    const notes: string[] = [];
    const compared = await compareFiles(
      {
        candidate: file("candidate"),
        baseline: file("baseline"),
        task: "binary-classification",
        policies: sidesManifest("sides").gates!.checks.map((one) => ({ slices: [], ...one })) as never,
        alpha: 0.05,
        minimumPerClass: 10,
        out: folderWith({}),
        checkout: out,
        seed: 1,
      },
      { now: () => new Date(0), onNote: (text) => notes.push(text) },
    );
    const figures = ({ models }: VerdictFile) =>
      models[0]!.checks.map(({ slice, observed, baseline, interval, n, verdict: word }) => ({
        slice,
        observed,
        baseline,
        interval,
        n,
        word,
      }));
    expect(figures(compared.verdict)).toEqual(figures(verdict));
    expect(compared.verdict.models[0]?.dataset?.rows).toBe(64);
    expect(notes).toContainEqual(expect.stringMatching(/104 rows are altered copies .* only$/));
  });

  it("that only the baseline's file has are INCOMPARABLE", async () => {
    const rows = (more: string) => `id,label,score,augmentation\na,1,0.9,\nb,0,0.2,\n${more}`;
    const dir = folderWith({
      "a.csv": rows(""),
      "b.csv": rows("dark/a,1,0.6,dark\n"),
      "c.csv": rows("").replaceAll(",\n", ",x\n"),
    });
    const compare = (candidate: string) =>
      compareFiles(
        {
          candidate: join(dir, candidate),
          baseline: join(dir, "b.csv"),
          task: "binary-classification",
          policies: [{ kind: "non-inferiority", metric: "accuracy", margin: 0.1, slices: [] }],
          alpha: 0.05,
          minimumPerClass: 1,
          out: folderWith({}),
          checkout: dir,
          seed: 1,
        },
        { now: () => new Date(0), onNote: () => {} },
      );
    const { verdict } = await compare("a.csv");
    expect(verdict.models[0]?.checks[0]).toMatchObject({
      verdict: "INCOMPARABLE",
      reason: expect.stringMatching(/only the baseline has altered copies/),
    });
    await expect(compare("c.csv")).rejects.toThrow(/every row has a value in the column "augmentation"/);
  });
});

describe("shards", () => {
  async function sharded() {
    const team = await sidesRepository([dark, noisy]);
    team.model("sides-blind", {}, [dark, noisy]);
    const parts = folderWith({});
    const folders: string[] = [];
    for (const index of [0, 1, 2])
      folders.push(...(await predictShard({ ...request, root: team.dir, out: parts }, { index, count: 3 }, deps())));
    return { team, parts, folders };
  }

  it("give the verdict of one job, and forged copies are found", async () => {
    const { team, parts, folders } = await sharded();
    expect(folders.length).toBe(12);
    const whole = await gateOf(team.dir);
    const merged = () => gateOf(team.dir, { shards: parts }, { drawSeed: () => 7 });
    const { verdict } = await merged();
    expect(verdict.models[0]?.checks).toEqual(whole.verdict.models[0]?.checks);
    expect(verdict.models[0]?.notes.join("\n")).toMatch(/of altered copies, 104 rows of 3 shards were predicted again/);

    const folder = join(parts, "shards/sides.candidate.copies.1-of-3");
    const lines = readFileSync(join(folder, "head-0.jsonl"), "utf8").replaceAll(/"score":[\d.e-]+/g, '"score":0.9');
    writeFileSync(join(folder, "head-0.jsonl"), lines);
    const manifest = JSON.parse(readFileSync(join(folder, "shard.json"), "utf8")) as { heads: { sha256: string }[] };
    manifest.heads[0]!.sha256 = sha256(lines);
    writeFileSync(join(folder, "shard.json"), JSON.stringify(manifest));
    const forged = await merged();
    expect(forged.verdict.verdict).toBe("ERROR");
    expect(forged.verdict.models[0]?.reason).toMatch(/does not hold what the model answers/);
  });
});

describe("a pull request that changes an augmentation", () => {
  const change = async (onnx: "sides" | "sides-blind", after: Augmentations, more = {}) => {
    const team = await sidesRepository([dark]);
    team.model(onnx, { gates: sidesManifest("sides").gates!, ...more }, after);
    return verdictOn(team.dir);
  };

  it("and the model is judged by the base's, and is never green", async () => {
    const lighter = await change("sides-blind", [{ ...dark, factor: 0.95 }]);
    expect(lighter).toMatchObject({ verdict: "FAIL", datasetChange: { judgedOn: "base" } });
    expect(lighter.checks.find(({ slice }) => slice === "augmentation=dark")?.observed).toBe(0.5);
    const sees = await change("sides", [{ ...dark, factor: 0.95 }], { runtime: { batch: 16 } });
    expect(sees).toMatchObject({ verdict: "INCOMPARABLE", datasetChange: { judgedOn: "base" } });
    expect(sees.reason).toMatch(/the data changes too \(augmentations: dark\)/);
  });

  it.each<[string, Augmentations]>([
    ["weakens it", [{ ...dark, factor: 0.9 }]],
    ["takes it away", [{ ...dark, name: "other" }]],
  ])("alone and %s is INCOMPARABLE while the gates ask about it", async (_, after) => {
    const model = await change("sides", after);
    expect(model.verdict).not.toBe("PASS");
    expect(model.reason).toMatch(/the new data asks less of augmentation=dark \(picture: brightness × 0.5 → /);
    expect(model.datasetChange?.augmentations?.[0]).toMatchObject({ name: "dark", weaker: true });
  });

  it("alone and strengthens it, or adds another, is judged with it", async () => {
    const model = await change("sides", [{ ...dark, factor: 0.45 }, noisy]);
    expect(model).toMatchObject({ verdict: "PASS", datasetChange: { judgedOn: "candidate", changed: 0 } });
    expect(model.reason).toMatch(/on changed data: augmentations: dark, noisy/);
  });

  it("changes nothing when it only orders them otherwise", async () => {
    const team = await sidesRepository([dark, noisy]);
    team.model("sides", {}, [noisy, dark]);
    const model = await verdictOn(team.dir);
    expect(model).toMatchObject({ verdict: "PASS" });
    expect(model.datasetChange).toBeUndefined();
  });

  it("cannot have the candidate read another field", async () => {
    const team = await sidesRepository();
    const { preprocess } = sidesManifest("sides");
    team.model("sides-blind", {
      preprocess: { pixels: { ...preprocess["pixels"], field: "photo" } as never },
      dataset: {
        ...sidesManifest("sides").dataset!,
        rename: { photo: "picture" },
        augmentations: [{ ...dark, field: "photo" }],
      } as never,
    });
    const model = await verdictOn(team.dir);
    expect(model.verdict).toBe("INCOMPARABLE");
    expect(model.reason).toMatch(/no image step of the candidate reads the field picture/);
  });
});
