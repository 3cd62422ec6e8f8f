import { beforeAll, describe, expect, it } from "vitest";
import { goldenAnswers } from "../../../deploy/bundle/golden.ts";
import { goldenSchema } from "../../../deploy/bundle/deployed.ts";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { offline } from "../../models/core/build.ts";
import { rowOf, treeManifest, treeRows } from "../../models/core/reasons/trees.ts";
import { json, modelFolder, serve, type ServerProcess } from "./harness.ts";

const rows = treeRows.map(rowOf);
const alert = rows[treeRows.findIndex(({ probability }) => probability > 0.8)]!;
const quiet = rows[treeRows.findIndex(({ probability }) => probability < 0.2)]!;
const rules = { version: "1.0.0", list: [{ id: "any", when: "amount > 0", reasons: ["it is a payment"] }] };
let folder: string;
let server: ServerProcess;
beforeAll(async () => {
  folder = modelFolder(
    treeManifest({ reasons: { kind: "tree-paths", top: 2 }, rules, serving: { examples: [alert, quiet] } }),
  );
  server = await serve([folder], ["--cache-bytes", "100000"]);
});

const feature = {
  feature: expect.stringMatching(/^(amount|distance|channel|seen)$/),
  contribution: expect.any(Number),
};
const rule = { rule: "any", reason: "it is a payment" };

describe("reasons over HTTP", () => {
  it("come after those of the rules, with signed contributions, only for alerts", async () => {
    const answer = await json(await server.post("/predict", alert));
    expect(answer["reasons"]).toEqual([rule, expect.objectContaining(feature), expect.objectContaining(feature)]);
    expect((await json(await server.post("/predict", quiet)))["reasons"]).toEqual([rule]);
  });

  it("are the same fresh, from the cache, in a batch and from the predictor", async () => {
    const predictor = await openPredictor(await loadManifest(folder), {}, offline);
    const [own] = await predictor.predict([alert]);
    await predictor.close();
    const expected = [rule, ...(own?.ok === true ? own.features! : [])];
    for (const path of ["/predict", "/predict", "/predict?"])
      expect((await json(await server.post(path, alert)))["reasons"]).toEqual(expected);
    const batch = await json(await server.post("/models/trees/predict/batch", { rows: [quiet, alert] }));
    const [first, second] = batch["predictions"] as unknown as { reasons: unknown }[];
    expect([first!.reasons, second!.reasons]).toEqual([[rule], expected]);
  });

  it("stand in the card and in OpenAPI, and in what a deployment is proved by", async () => {
    expect((await json(await server.get("/models/trees")))["reasons"]).toEqual({
      kind: "tree-paths",
      top: 2,
      answers: "positive",
    });
    const document = JSON.stringify(await json(await server.get("/openapi.json")));
    expect(document).toContain('"contribution"');
    const golden = await goldenAnswers(await loadManifest(folder), offline);
    expect(goldenSchema.parse(golden).rows[0]!.reasons).toEqual(
      (await json(await server.post("/predict", alert)))["reasons"],
    );
  });
});
