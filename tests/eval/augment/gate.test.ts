import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { describe, expect, it } from "vitest";
import { compareFiles } from "../../../eval/compare.ts";
import { predictShard } from "../../../eval/gate.ts";
import { refusedRows } from "../../../eval/gate/data-change.ts";
import { planGate } from "../../../eval/plan.ts";
import type { VerdictFile } from "../../../eval/schema/verdict.ts";
import { folderWith } from "../dataset/build.ts";
import { fixture, sequenceManifest, wordTokenizer } from "../../models/core/build.ts";
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
      ["all", "PASS", 44],
      ["augmentation=dark", "FAIL", 44],
      ["augmentation=noisy", "PASS", 40],
    ]);
    expect(verdict.verdict).toBe("FAIL");
    const [model] = verdict.models;
    expect(model?.augmentations).toEqual([
      { name: "dark", what: "picture: brightness × 0.5", rows: 44 },
      { name: "noisy", what: "picture: Gaussian noise, level 0.05, 40 rows", rows: 40 },
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

it("a model that knows whole words only FAILs on typing errors", async () => {
  const tokenizer = wordTokenizer() as { model: { vocab: Record<string, number> } };
  Object.assign(tokenizer.model.vocab, { lovely: 6, dreadful: 7 });
  const text = (i: number) => Array.from({ length: 5 }, () => (i % 2 === 0 ? "lovely" : "dreadful")).join(" ");
  const rows = Array.from({ length: 60 }, (_, i) => ({ text: text(i), label: i % 2 === 0 ? "positive" : "negative" }));
  const manifest = sequenceManifest("sequence.onnx", {
    dataset: {
      id: "texts",
      files: [{ path: "rows.jsonl" }],
      labels: { mood: { field: "label" } },
      augmentations: [
        { name: "few", kind: "typos", rate: 0.05 },
        { name: "many", kind: "typos", rate: 0.9 },
      ],
    },
    gates: {
      checks: [
        { kind: "limit", metric: "accuracy", min: 0.9 },
        { kind: "limit", metric: "accuracy", min: 0.9, slices: ["augmentation"] },
      ],
    },
  });
  const root = folderWith({
    "sluice.yaml": "schemaVersion: 1\nmodels: [sequence]\n",
    "sequence/model.yaml": stringify(manifest),
    "sequence/sequence.onnx": fixture("sequence.onnx"),
    "sequence/tokenizer.json": JSON.stringify(tokenizer),
    "sequence/rows.jsonl": rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
  });
  const { verdict, files } = await gateOf(root, { baseline: "none" });
  expect(checksOf(verdict)).toEqual([
    ["all", "PASS", 60],
    ["augmentation=few", "PASS", 60],
    ["augmentation=many", "FAIL", 60],
  ]);
  expect(readFileSync(files.html, "utf8")).toMatch(
    /<b>many<\/b> row rows:0, before and after.*<blockquote>lovely lovely/s,
  );
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
    expect(models[0]?.dataset.rows).toBe(44);
    expect(models[0]?.checks.map(({ slice, n }) => [slice, n])).toEqual([
      ["all", 44],
      ["augmentation=dark", 44],
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
    expect(lines.length).toBe(128);
    expect(lines[0]).toMatch(/^p0,0,.*,old,""$/);
    expect(lines[44]).toMatch(/^dark\/p0,0,.*,old,dark$/);
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
    expect(compared.verdict.models[0]?.dataset?.rows).toBe(44);
    expect(notes).toContainEqual(expect.stringMatching(/84 rows are altered copies .* only$/));
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

it("copies that the candidate refuses and the baseline takes are counted with the rows", () => {
  const run = (ids: string[], copies: string[]) =>
    ({ predictions: new Map([["side", { ids, copies: { ids: copies } }]]) }) as never;
  const [candidate, baseline] = [run(["a"], ["dark/a"]), run(["a"], ["dark/a", "dark/b"])];
  expect(refusedRows({ candidate, baseline })).toEqual(["dark/b"]);
});

describe("shards", () => {
  async function sharded() {
    const team = await sidesRepository([dark, noisy]);
    team.model("sides-blind", {}, [dark, noisy]);
    const parts = folderWith({});
    const folders: string[] = [];
    for (const index of [0, 1])
      folders.push(...(await predictShard({ ...request, root: team.dir, out: parts }, { index, count: 2 }, deps())));
    return { team, parts, folders };
  }

  it("give the verdict of one job, and forged copies are found", async () => {
    const { team, parts, folders } = await sharded();
    expect(folders.length).toBe(8);
    const whole = await gateOf(team.dir);
    const merged = () => gateOf(team.dir, { shards: parts }, { drawSeed: () => 7 });
    const { verdict } = await merged();
    expect(verdict.models[0]?.checks).toEqual(whole.verdict.models[0]?.checks);
    expect(verdict.models[0]?.notes.join("\n")).toMatch(/of altered copies, 84 rows of 2 shards were predicted again/);

    const folder = join(parts, "shards/sides.candidate.copies.0-of-2");
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
