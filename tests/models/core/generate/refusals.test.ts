import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { Graph, Graphs } from "../../../../models/core/generate/graph.ts";
import { parseManifest } from "../../../../models/core/predictor/load.ts";
import { refusal } from "../build.ts";
import { openFamily, planOf, settingsOf } from "./families.ts";
import { familyModel } from "./family-model.ts";

describe("graphs that make no loop are refused by what is missing", () => {
  let graphs: Graphs;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ graphs, close } = await openFamily("marian"));
  });
  afterAll(() => close());
  const settings = settingsOf("marian");
  const input = (name: string, shape: (string | number)[] = ["batch_size", 8]) => ({ name, dtype: "float32", shape });
  const withInput = (graph: Graph, ...more: ReturnType<typeof input>[]): Graph => ({
    ...graph,
    inputs: [...graph.inputs, ...more],
  });
  const without = (graph: Graph, name: RegExp): Graph => ({
    ...graph,
    inputs: graph.inputs.filter((one) => !name.test(one.name)),
    outputs: graph.outputs.filter((one) => !name.test(one.name)),
  });

  it.each([
    ["a convolution's state", "past_conv.0", undefined],
    ["a state-space model's", "past_ssm.0", undefined],
    ["embeddings", "inputs_embeds", undefined],
    ["a cache that fuses batch and heads", "past_key_values.9.decoder.key", ["batch_size*heads", 8, "past"]],
    ["a multi-query cache", "past_key_values.0.key_value", ["batch_size", "past", 16]],
  ])("%s", async (_, name, shape) => {
    const decoder = withInput(graphs.decoder!, input(name, shape));
    const { diagnostic } = await refusal(() => planOf({ ...graphs, decoder }, settings));
    expect(diagnostic).toMatchObject({ code: "generate-state", place: "artifact.graphs.decoder", received: name });
  });

  it("says what a cache lacks", async () => {
    const decoder = without(graphs.decoder!, /^present\.1\.encoder\.key/);
    const { diagnostic } = await refusal(() => planOf({ ...graphs, decoder }, settings));
    expect(diagnostic).toMatchObject({ code: "generate-graphs", expected: "an output present.1.encoder.key" });
    expect(planOf({ ...graphs, decoder }, settingsOf("marian", { cache: false })).next).toBeNull();
  });

  it.each([
    ["token ids", /^input_ids$/, "the decoder takes no token ids"],
    ["logits", /^logits$/, "the decoder has no output `logits`"],
  ])("a decoder without %s", async (_, name, problem) => {
    const decoder = without(graphs.decoder!, name);
    expect((await refusal(() => planOf({ ...graphs, decoder }, settings))).diagnostic.problem).toBe(problem);
  });

  it("a cached decoder with a second one", async () => {
    const decoder = graphs.decoderWithPast!;
    const { diagnostic } = await refusal(() => planOf({ ...graphs, decoder }, settings));
    expect(diagnostic.place).toBe("artifact.graphs.decoder_with_past");
  });
});

describe("a manifest that contradicts itself", () => {
  const problemsOf = async (changes: object, generate: object = {}) => {
    const { manifest } = familyModel("t5", changes, generate);
    const { diagnostic } = await refusal(() => parseManifest(stringify(manifest), "/model", "model.yaml"));
    return [diagnostic, ...(diagnostic.others ?? [])].map(({ problem }) => problem).join("; ");
  };
  it.each([
    ["beams that are drawn", {}, { beams: 2, sample: { seed: 1 } }, "beams and `sample` exclude each other"],
    ["no start", {}, { start: undefined }, "a decoder needs `start`"],
    ["more at least than at most", {}, { minTokens: 14 }, "14 tokens at least and 14 at most"],
    ["a token forced and suppressed", {}, { forcedFirst: 5, suppress: [5] }, "the id 5 is forced and suppressed"],
    ["seconds of no input", {}, { tokensPerSecond: { tokens: 6, input: "wave", rate: 8 } }, 'no input "wave"'],
    [
      "another output",
      { outputs: [{ name: "logits", dtype: "int64", shape: ["batch", 4] }] },
      {},
      "one output, the tokens",
    ],
    ["a provider that the loop does not use", { runtime: { provider: "cuda" } }, {}, "run on cpu only"],
    ["several graphs and no loop", { generate: undefined }, {}, "there is no `generate`"],
  ])("%s", async (_, changes, generate, problem) => {
    expect(await problemsOf(changes, generate)).toContain(problem);
  });
});
