import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { STANDARD_ANSWER } from "../../models/core/media-type.ts";
import { openPredictor, type Predictor } from "../../models/core/predictor/predictor.ts";
import type { Row } from "../../models/core/row.ts";
import { compileStep } from "../../models/core/preprocess/compile-step.ts";
import { readModelFiles } from "../../models/core/predictor/model-files.ts";
import { offline } from "./core/build.ts";
import { json, root, serve, temporaryFolder, type ServerProcess } from "../spaces/server/harness.ts";

const dir = join(root, "models/virality");
const FIELDS = ["viral_score", "predicted_velocity", "confidence", "processing_time_ms"];
type Answer = {
  viral_score: number;
  predicted_velocity: number;
  confidence: number;
  processing_time_ms: number;
  notes?: object[];
};
type Heads = { viral: { score: number }; velocity: { value: number } };

let server: ServerProcess;
let predictor: Predictor;
let example: Row;
beforeAll(async () => {
  const loaded = await loadManifest(dir);
  example = loaded.manifest.serving.examples[0]!;
  server = await serve(["models/virality"]);
  predictor = await openPredictor(loaded, {}, offline);
});
const ask = async (row: object) => (await json(await server.post("/predict", row))) as unknown as Answer;
const unmade = ({ processing_time_ms: _, notes: __, ...rest }: Answer) => rest;

describe("virality's API", () => {
  it("answers with exactly its own four fields, computed from the heads", async () => {
    const response = await server.post("/predict", example);
    expect(response.headers.get("vary")).toBe("Accept");
    const answer = (await json(response)) as unknown as Answer;
    expect(Object.keys(answer)).toEqual(FIELDS);
    const { viral, velocity } = (await predictor.predictOne(example)) as unknown as Heads;
    expect(answer).toMatchObject({
      viral_score: viral.score,
      predicted_velocity: Math.exp(4.2 + 1.4 * velocity.value),
      confidence: Math.max(viral.score, 1 - viral.score),
    });
    expect(answer.processing_time_ms).toBeGreaterThan(0);
    expect(await json(await server.post("/predict", example, { accept: STANDARD_ANSWER }))).toMatchObject({
      model: "virality",
      version: "1.1.0",
      heads: { viral: { score: viral.score }, velocity: { value: velocity.value } },
      timing: { totalMs: expect.any(Number) },
    });
  });

  it("answers the rows of a batch in the same way, in order, even with a bad row among them", async () => {
    const { description: _, ...bare } = example;
    const batch = (await json(
      await server.post("/models/virality/predict/batch", { rows: [example, { ...example, view_count: -1 }, bare] }),
    )) as unknown as { failed: number; predictions: [Answer, { error: object }, Answer] };
    expect(batch).toMatchObject({
      model: "virality",
      rows: 3,
      failed: 1,
      predictions: [{}, { error: { errors: [{ field: "rows[1].view_count" }] } }, {}],
    });
    expect(Object.keys(batch.predictions[0])).toEqual(FIELDS);
    for (const [i, row] of [
      [0, example],
      [2, bare],
    ] as const) {
      const alone = unmade(await ask(row));
      for (const [name, value] of Object.entries(unmade(batch.predictions[i] as Answer)))
        expect(value / alone[name as keyof typeof alone]).toBeCloseTo(1, 3);
    }
  });

  it("is healthy, and names its architecture and that its data are simulated", async () => {
    expect(await json(await server.get("/"))).toEqual({ status: "healthy", model: "virality v1.1.0" });
    expect(await json(await server.get("/model/info"))).toMatchObject({
      architecture: [{ part: "text encoder" }, { part: "image encoder" }, { part: "fusion", parameters: 7458 }],
      dataset: {
        provenance: "simulated",
        bestPossible: { viral: { auroc: expect.any(Number) }, velocity: { mae: expect.any(Number) } },
      },
    });
  });

  it("is documented in the form in which it answers", async () => {
    const api = (await json(await server.get("/openapi.json"))) as unknown as {
      paths: Record<string, { post: { responses: { "200": { content: object } } } }>;
      components: { schemas: Record<string, { required: string[]; properties: Record<string, { type: string }> }> };
    };
    expect(api.paths["/predict"]!.post.responses["200"].content).toMatchObject({
      "application/json": { schema: { $ref: "#/components/schemas/Answer.virality" } },
      [STANDARD_ANSWER]: { schema: { $ref: "#/components/schemas/Prediction" } },
    });
    expect(api.components.schemas["Answer.virality"]).toMatchObject({
      required: FIELDS,
      properties: Object.fromEntries(FIELDS.map((name) => [name, { type: "number" }])),
    });
    expect(api.components.schemas["Row.virality"]!.required.toSorted()).toEqual([
      "comment_count",
      "duration_seconds",
      "like_count",
      "title",
      "view_count",
    ]);
  });

  it.each([
    ["title", { title: undefined }, "missing"],
    ["title", { title: 7 }, "not a text"],
    ["view_count", { view_count: "many" }, "not a number"],
    ["like_count", { like_count: -3 }, "a number out of range"],
    ["duration_seconds", { duration_seconds: null }, "not a number"],
    ["thumbnail_url", { thumbnail_url: 12 }, "not a text"],
    ["thumbnail_url", { thumbnail_url: "a picture" }, "not base64"],
    ["description", { description: 5 }, "not a text"],
  ])("refuses a wrong %s: %o", async (field, change, problem) => {
    const response = await server.post("/predict", { ...example, ...change });
    expect(response.status).toBe(422);
    expect(await json(response)).toMatchObject({ code: "bad-row", errors: [{ field, problem }] });
  });
});

describe("virality without a picture", () => {
  const picture = "data:image/png;base64,";
  it.each([
    ["there is none", {}, "the image is missing"],
    ["it is null", { thumbnail_url: null }, "the image is missing"],
    [
      "its bytes are not an image",
      { thumbnail_url: `${picture}${Buffer.from("no picture at all").toString("base64")}` },
      "the image cannot be decoded",
    ],
    [
      "its URL has a private address",
      { thumbnail_url: "http://127.0.0.1/a.png" },
      "the image was not fetched: the address is not public",
    ],
    [
      "its URL has another port",
      { thumbnail_url: "http://127.0.0.1:9/a.png" },
      "the image was not fetched: port 9 is not asked",
    ],
  ])("says so when %s, and answers as without one", async (_, change, problem) => {
    const { thumbnail_url: __, ...without } = example;
    const answer = await ask({ ...without, ...change });
    expect(Object.keys(answer)).toEqual([...FIELDS, "notes"]);
    expect(answer.notes).toEqual([{ field: "thumbnail_url", problem, used: "a plain picture of #808080" }]);
    expect(unmade(answer)).toEqual(unmade(await ask(without)));
    expect(unmade(answer)).not.toEqual(unmade(await ask(example)));
  });

  it("is reported for each row of a batch separately", async () => {
    const { predictions } = (await json(
      await server.post("/predict/batch", {
        rows: [{ ...example, thumbnail_url: "http://10.0.0.1/" }, example, { ...example, thumbnail_url: null }],
      }),
    )) as unknown as { predictions: Answer[] };
    expect(predictions.map(({ notes }) => notes?.map((note) => (note as { problem: string }).problem))).toEqual([
      ["the image was not fetched: the address is not public"],
      undefined,
      ["the image is missing"],
    ]);
  });
});

it("sluice predict answers a file of rows with pictures, and names the rows whose picture was not used", async () => {
  const folder = temporaryFolder();
  const rows = readFileSync(join(dir, "data/eval.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row)
    .filter((row) => row["thumbnail_url"] !== undefined)
    .slice(0, 50);
  const asked = rows.map((row, i) => (i === 7 ? { ...row, thumbnail_url: "http://10.0.0.1/a.png" } : row));
  writeFileSync(join(folder, "rows.jsonl"), asked.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await promisify(execFile)(
    join(root, "node_modules/node/bin/node"),
    [
      "cli.ts",
      "predict",
      "virality",
      "--input",
      join(folder, "rows.jsonl"),
      "--url",
      server.url,
      "--output",
      join(folder, "out.jsonl"),
    ],
    { cwd: root },
  );
  const written = readFileSync(join(folder, "out.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(written.map(({ outcome, id }) => [outcome, id])).toEqual(rows.map(({ id }) => ["predicted", id]));
  expect(written.flatMap(({ notes }, i) => (notes === null ? [] : [[i, notes]]))).toEqual([
    [7, "thumbnail_url: the image was not fetched: the address is not public; a plain picture of #808080 was used"],
  ]);
  const { viral } = (await predictor.predictOne(rows[0]!)) as unknown as Heads;
  expect(written[0]!["viral_score"]).toBeCloseTo(viral.score, 4);
});

describe("virality's 18 features", () => {
  const row = {
    title: "Why 12 TINY robots? WOW!!",
    description: "Music and 3 details.",
    thumbnail_url: null,
    view_count: 999,
    like_count: 111,
    comment_count: 37,
    duration_seconds: 60,
  };
  // Worked out by hand.
  const expected: Record<string, number> = {
    views_log: Math.log(1000),
    likes_log: Math.log(112),
    comments_log: Math.log(38),
    duration_log: Math.log(61),
    like_rate: 111 / 999,
    comment_rate: 37 / 999,
    comments_per_like: 1 / 3,
    engagement_log: Math.log(1 + 37_000 / 999),
    title_length: 25,
    title_words: 5,
    title_questions: 1,
    title_exclamations: 2,
    title_digits: 2,
    title_capitals: 8 / 16,
    description_words: 4,
    has_description: 1,
    has_thumbnail: 0,
    short_video: 1,
  };
  const features = async (given: Row) => {
    const { manifest } = await loadManifest(dir);
    const step = manifest.preprocess["scalars"]!;
    if (step.kind !== "tabular") throw new Error("not a table");
    const prepared = await compileStep(step, {}, String).prepare(given);
    if (prepared.kind !== "numbers") throw new Error("no numbers");
    return Object.fromEntries(
      step.features.map((feature, i) => {
        if (feature.encode !== "standardize") throw new Error("not standardised");
        return [feature.column, prepared.values[i]! * feature.std + feature.mean];
      }),
    );
  };

  it("are these, in this order", async () => {
    expect(Object.keys(await features(row))).toEqual(Object.keys(expected));
    expect(Object.keys(expected)).toHaveLength(18);
  });
  it.each(Object.entries(expected))("%s", async (name, value) => {
    expect((await features(row))[name]).toBeCloseTo(value, 9);
  });
  it("stay finite without views, likes and description, and show whether there is a picture", async () => {
    expect(
      await features({
        ...row,
        description: undefined,
        thumbnail_url: "data:…",
        view_count: 0,
        like_count: 0,
        comment_count: 5,
        duration_seconds: 61,
      }),
    ).toMatchObject({
      like_rate: expect.closeTo(0, 9),
      comment_rate: expect.closeTo(1, 9),
      comments_per_like: expect.closeTo(5, 9),
      has_description: expect.closeTo(0, 9),
      has_thumbnail: expect.closeTo(1, 9),
      short_video: expect.closeTo(0, 9),
    });
  });
});

describe("virality, against its training script", () => {
  type Reference = { id: string; ids: number[]; raw: number[]; viralLogit: number; velocity: number };
  const reference = JSON.parse(readFileSync(join(dir, "train/reference.json"), "utf8")) as Reference[];
  const data = new Map(
    readFileSync(join(dir, "data/eval.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Row & { id: string })
      .map((row) => [row.id, row]),
  );

  it("gives the same tokens and the same answers", async () => {
    const loaded = await loadManifest(dir);
    const { steps: files } = await readModelFiles(loaded);
    const tokens = compileStep(loaded.manifest.preprocess["tokens"]!, files["tokens"]!, String);
    for (const one of reference) {
      const row = data.get(one.id)!;
      const prepared = await tokens.prepare(row);
      expect(prepared.kind === "tokens" && prepared.ids).toEqual(one.ids);
      const heads = (await predictor.predictOne(row)) as unknown as Heads;
      expect(heads.viral.score).toBeCloseTo(1 / (1 + Math.exp(-one.viralLogit)), 4);
      expect(heads.velocity.value).toBeCloseTo(one.velocity, 4);
    }
  });
});

describe("virality's gate", () => {
  it("passes 1.1.0 against 1.0.0 and says what the data are", { timeout: 300_000 }, async () => {
    const out = temporaryFolder();
    const run = await promisify(execFile)(
      join(root, "node_modules/node/bin/node"),
      ["cli.ts", "gate", "virality", "--baseline", "models/virality/production", "--out", out],
      { cwd: root },
    ).catch((error: { code: number; stdout: string; stderr: string }) => error);
    expect({ code: "code" in run ? run.code : 0, said: run.stderr }).toMatchObject({ code: 0 });
    const {
      models: [verdict],
    } = JSON.parse(readFileSync(join(out, "verdict.json"), "utf8")) as {
      models: [{ verdict: string; notes: string[]; checks: { metric: string; slice: string }[] }];
    };
    expect(verdict.verdict).toBe("PASS");
    expect(verdict.notes.join("\n")).toMatch(
      /virality-simulated are simulated[^]*auroc 0\.88\d\d for viral; the candidate reaches 0\.88\d\d, 0\.00\d\d from it[^]*mae 0\.19\d\d for velocity; the candidate reaches 0\.23\d\d/,
    );
    expect(new Set(verdict.checks.map(({ slice }) => slice.split("=")[0]))).toEqual(
      new Set(["all", "short_video", "has_thumbnail", "title_length"]),
    );
    for (const report of ["report.md", "report.html"])
      expect(readFileSync(join(out, report), "utf8")).toContain("3,000 simulated rows");
    expect(run.stdout).toContain("3,000 simulated rows");
  });
});
