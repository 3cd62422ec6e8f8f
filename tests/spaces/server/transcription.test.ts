import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "csv-parse/sync";
import { WebSocket } from "ws";
import { sharedData, where } from "../../models/core/audio/shared-speech.ts";
import { samplesOf } from "../../models/core/wave-samples.ts";
import { sluice } from "../../cli/sluice.ts";
import { json, serve, temporaryFolder, until, type ServerProcess } from "./harness.ts";
import { jobsClient } from "./jobs-client.ts";
import { moonshineRepository, recordings, speech } from "./moonshine-repository.ts";

// What the gate measures, a request, a stream and a job answer are the same texts.

describe.skipIf(sharedData === null)(`Moonshine through gate, request, stream and job ${where}`, () => {
  let folder: string;
  let server: ServerProcess;
  const wav = (file: string) => new Uint8Array(readFileSync(join(speech, file)));
  const texts: Record<string, string[]> = {};

  beforeAll(async () => {
    folder = moonshineRepository(temporaryFolder());
    server = await serve([folder]);
  });

  it("a request answers each recording, with the places of what was said", async () => {
    texts["request"] = [];
    for (const file of recordings) {
      const response = await server.post("/models/moonshine/predict", wav(file), { "content-type": "audio/wav" });
      const { heads } = (await json(response)) as unknown as { heads: { text: { text: string; segments: object[] } } };
      expect(heads.text.segments.length, file).toBeGreaterThan(0);
      texts["request"].push(heads.text.text);
    }
  }, 120_000);

  it("a stream has the same texts at its end", async () => {
    texts["stream"] = [];
    for (const file of recordings) {
      const socket = new WebSocket(
        `${server.url.replace("http", "ws")}/models/moonshine/stream?rate=16000&format=f32le`,
      );
      const events: { type: string; heads?: { text: { text: string } } }[] = [];
      socket.on("message", (data: Buffer) => events.push(JSON.parse(data.toString("utf8")) as (typeof events)[0]));
      await until(() => events.find(({ type }) => type === "ready"));
      const samples = samplesOf(join(speech, file));
      for (let at = 0; at < samples.length; at += 8000) socket.send(Buffer.from(samples.slice(at, at + 8000).buffer));
      socket.send('{"type":"end"}');
      const result = await until(() => events.find(({ type }) => type === "result"));
      texts["stream"].push(result.heads!.text.text);
      socket.close();
    }
    expect(texts["stream"]).toEqual(texts["request"]);
  }, 240_000);

  it("so does a job of each recording", async () => {
    const client = jobsClient(server);
    texts["job"] = [];
    for (const file of recordings) {
      const { id } = await client.submit("moonshine", wav(file), "audio/wav");
      expect((await client.ended(id)).state).toBe("succeeded");
      texts["job"].push(String((await client.lines(id))[0]?.heads?.["text"]?.["text"]));
    }
    expect(texts["job"]).toEqual(texts["request"]);
  }, 240_000);

  it("and the gate, which measures a word error rate of at most .03", async () => {
    const run = await sluice(join(folder, ".."), ["gate", "moonshine", "--baseline", "none", "--out", "out"]);
    expect(run.stderr).not.toContain("ERROR");
    const rows = parse(readFileSync(join(folder, "../out/predictions/moonshine/text.candidate.csv")), {
      columns: true,
    }) as unknown as { id: string; hypothesis: string }[];
    texts["gate"] = recordings.map((file) => rows.find(({ id }) => id === file)!.hypothesis);
    expect(texts["gate"]).toEqual(texts["request"]);
    const { checks } = JSON.parse(readFileSync(join(folder, "../out/verdict.json"), "utf8")).models[0] as {
      checks: { metric: string; observed: number; n: number }[];
    };
    expect(checks).toMatchObject([{ metric: "wer", n: 13 }]);
    expect(checks[0]!.observed).toBeLessThanOrEqual(0.03);
  }, 240_000);
});
