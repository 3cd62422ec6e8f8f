import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateSequences } from "../../../../models/core/generate/generator.ts";
import { planDecoder, type DecoderPlan } from "../../../../models/core/generate/plan.ts";
import { generate } from "../../../../models/core/generate/schema.ts";
import { openSession, type Session } from "../../../../models/core/session/session.ts";
import { fetchArtifact } from "../../../../models/core/artifact/artifact.ts";
import { offline, sha256 } from "../build.ts";
import { sharedData } from "./shared-data.ts";
import { wavSamples } from "./wav.ts";

const data = sharedData ?? "";
const speech = join(data, "speech");
const missing = sharedData === null;

type Reference = { asr: { rows: { file: string; ids: number[]; hyp: string; ref: string }[] } };
const settings = {
  start: 1,
  end: 2,
  maxTokens: 194,
  tokensPerSecond: { tokens: 6, input: "input_values", rate: 16_000 },
};

describe.skipIf(missing)("Moonshine tiny, int8 (skipped where ../shared/data is not there)", () => {
  const rows = missing
    ? []
    : (JSON.parse(readFileSync(join(data, "reference/sequence.json"), "utf8")) as Reference).asr.rows;
  const sessions: Session[] = [];
  let plan: DecoderPlan;
  const open = async (path: string) => {
    const file = { path, sha256: sha256(readFileSync(join(speech, path))), externalData: [] };
    const session = await openSession(await fetchArtifact(file, speech, offline), { provider: "cpu", threads: 1 });
    sessions.push(session);
    return session;
  };
  beforeAll(async () => {
    const graphs = { main: await open("encoder_model.onnx"), decoder: await open("decoder_model_merged.onnx") };
    plan = planDecoder(graphs, generate.parse(settings), String);
  });
  afterAll(async () => {
    for (const session of sessions) await session.close();
  });
  const transcribe = async (file: string, changes: object = {}) => {
    const samples = wavSamples(join(speech, file));
    const feeds = { input_values: { dtype: "float32" as const, data: samples, dims: [1, samples.length] } };
    const { sequences } = await generateSequences(plan, generate.parse({ ...settings, ...changes }), feeds);
    return sequences[0]!;
  };

  it("takes no mask, so its rows run singly", () => {
    expect(plan.masked).toBe(false);
    expect(plan.next).toBe(plan.first);
  });

  it("gives the reference's tokens", async () => {
    const same: string[] = [];
    for (const { file, ids } of rows) {
      const made = await transcribe(file);
      expect(made.ended).toBe(true);
      if (made.ids.join() === ids.join()) same.push(file);
      else console.log(file, made.ids.join(), ids.join());
    }
    expect(same).toHaveLength(rows.length);
  });
});
