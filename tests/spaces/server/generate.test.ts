import { beforeAll, describe, expect, it } from "vitest";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import type { Engine } from "../../../spaces/server/engine/engine.ts";
import { hostEngine } from "../../../spaces/server/engine/host-engine.ts";
import { mainEngine } from "../../../spaces/server/engine/main-engine.ts";
import { expectedOf, familyModel, rowsOf } from "../../models/core/generate/family-model.ts";
import { offline } from "../../models/core/build.ts";
import { modelFolder, serve, type ServerProcess } from "./harness.ts";

const folderOf = (...of: Parameters<typeof familyModel>) => {
  const { manifest, files } = familyModel(...of);
  return modelFolder(manifest, files);
};

type Event = { event: string; data: Record<string, any> };
async function eventsOf(response: Response): Promise<Event[]> {
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  return (await response.text())
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block)!;
      return { event: event!, data: JSON.parse(data!) as Record<string, any> };
    });
}

describe.each(["main", "worker"])("a served model that generates, on the %s engine", (engine) => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await serve([folderOf("t5")], ["--engine", engine]);
  }, 60_000);
  const rows = rowsOf("t5");

  it("answers as torch, alone and in a batch", async () => {
    const one = (await (await server.post("/predict", rows[1])).json()) as any;
    expect(one.heads).toEqual({ text: expectedOf("t5")[1] });
    const many = (await (await server.post("/predict/batch", { rows })).json()) as any;
    expect(many.predictions.map(({ heads }: any) => heads.text)).toEqual(expectedOf("t5"));
  });

  it("streams pieces, and then the answer that it gives without a stream", async () => {
    for (const [i, row] of rows.entries()) {
      const events = await eventsOf(await server.post("/models/t5/predict/stream", row));
      const result = events.at(-1)!;
      expect(result.event).toBe("result");
      expect(result.data["heads"].text).toEqual(expectedOf("t5")[i]);
      expect(result.data["timing"].firstTokenMs).toBeGreaterThan(0);
      const pieces = events.slice(0, -1);
      expect(pieces.every(({ event }) => event === "token")).toBe(true);
      expect(pieces.map(({ data }) => data["text"]).join("")).toBe(expectedOf("t5")[i]!.text);
    }
  });

  it("refuses before the stream begins", async () => {
    const response = await server.post("/predict/stream", { text: 5 });
    expect(response.status).toBe(422);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
  });

  it("tells of its graphs, and counts tokens", async () => {
    const info = (await (await server.get("/models/t5")).json()) as any;
    const { files } = familyModel("t5");
    expect(info.artifact.bytes).toBe(files["t5-encoder.onnx"]!.length + files["t5-merged.onnx"]!.length);
    const metrics = await (await server.get("/metrics")).text();
    expect(Number(/generated_tokens_total\{model="t5"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(70);
  });

  it("answers tensors with tokens", async () => {
    const ids = [3, 4, 5];
    const input = (name: string, data: number[]) => ({ name, shape: [1, 3], datatype: "INT64", data });
    const body = { inputs: [input("input_ids", ids), input("attention_mask", [1, 1, 1])] };
    const answer = (await (await server.post("/v2/models/t5/infer", body)).json()) as any;
    expect(answer.outputs).toMatchObject([{ name: "sequences", datatype: "INT64" }]);
    expect(answer.outputs[0].data.length).toBe(answer.outputs[0].shape[1]);
  });
});

describe("a run whose client left", () => {
  // 60 steps of 64 rows: far longer than a message to a thread takes.
  const rows = Array.from({ length: 64 }, () => rowsOf("gpt")[5]!);
  const plan = { maxBatch: 64, tokenBudget: null, interruptible: true };
  const folder = () => folderOf("gpt", {}, { maxTokens: 60, suppress: [2] });
  it.each<[string, () => Promise<Engine>]>([
    ["main", async () => mainEngine(await openPredictor(await loadManifest(folder()), {}, offline))],
    ["worker", async () => hostEngine("worker", 1, folder(), {}, 0)],
    ["process", async () => hostEngine("process", 1, folder(), {}, 0)],
  ])("is ended between two steps, %s engine", async (_, open) => {
    const engine = await open();
    const cancel = new AbortController();
    const pieces: string[] = [];
    const onPiece = (index: number, piece: string) => {
      if (index !== 0) return;
      pieces.push(piece);
      cancel.abort(new Error("cancelled"));
    };
    await expect(engine.rows(rows, plan, undefined, { signal: cancel.signal, onPiece })).rejects.toThrow("cancelled");
    expect(pieces.length).toBeLessThan(60);
    // The next run is not affected.
    const done = await engine.rows(rows.slice(0, 1), plan, undefined, { signal: new AbortController().signal });
    expect(done!.answers[0]!.ok).toBe(true);
    expect(done!.cost.generated!.tokens).toBe(60);
    await engine.close();
  });
});
