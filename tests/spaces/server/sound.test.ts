import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { offline, sha256 } from "../../models/core/build.ts";
import { chirp, wav } from "../../models/core/audio/chirp.ts";
import { sharedData, where } from "../../models/core/audio/shared-speech.ts";
import { spoken, spokenDigit } from "../../models/core/audio/spoken-digits.ts";
import { digitsManifest, speechFiles } from "../../models/core/speech-model.ts";
import { json, modelFolder, pixelsModel, serve, served, type ServerProcess } from "./harness.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/audio");
const pixels = () =>
  served({
    id: "pixels",
    artifact: { path: "pixels.onnx", sha256: sha256(pixelsModel) },
    preprocess: { pixel: { kind: "image", resize: { width: 1, height: 1 } } },
    inputs: [{ name: "pixels", dtype: "float32", shape: ["batch", 3, 1, 1], from: "pixel.pixels" }],
    serving: { examples: [] },
  });
/** A PNG of one red pixel. */
const red = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
  "base64",
);

describe.each([["main"], ["worker"], ["process"]])("a sound (%s)", (engine) => {
  let server: ServerProcess;
  let folder: string;
  beforeAll(async () => {
    folder = modelFolder(digitsManifest(), { ...speechFiles });
    server = await serve([folder, modelFolder(pixels()), modelFolder(served())], ["--engine", engine]);
  });
  const ask = (body: unknown, type?: string, path = "/models/digits/predict") =>
    server.post(path, body, type === undefined ? {} : { "content-type": type });
  const form = async (fields: Record<string, Blob | string>, path = "/models/digits/predict") => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    return fetch(server.url + path, { method: "POST", body: data });
  };
  const heads = async (response: Response) => (await json(response))["heads"];

  it.skipIf(sharedData === null)(
    `has one answer as JSON, as a file and in a form, and it is the predictor's ${where}`,
    async () => {
      const sound = wav(
        [
          spoken(
            [3, 4, 9].map((digit) => spokenDigit(digit, "jackson", 0)),
            800,
          ),
        ],
        8000,
      );
      const predictor = await openPredictor(await loadManifest(folder), {}, offline);
      const wanted = await predictor.predictOne({ audio: sound });
      await predictor.close();
      expect(wanted["words"]).toMatchObject({ text: "three four nine", segments: [{}, {}, {}] });
      const text = sound.toString("base64");
      for (const answer of [
        await ask({ audio: text }),
        await ask({ audio: `data:audio/wav;base64,${text}` }),
        await ask(sound, "audio/wav"),
        await ask(sound, "audio/x-whatever; rate=8000"),
        await form({ audio: new Blob([sound], { type: "audio/wav" }) }),
        await form({ file: new Blob([sound]) }),
      ])
        expect(await heads(answer)).toEqual(wanted);
      const batch = await json(
        await ask({ rows: [{ audio: text }, { audio: "AAAA" }] }, undefined, "/models/digits/predict/batch"),
      );
      expect(batch).toMatchObject({ failed: 1, predictions: [{ heads: wanted }, { error: { status: 422 } }] });
      const events = await server.post("/models/digits/predict", sound, {
        "content-type": "audio/wav",
        accept: "text/event-stream",
      });
      expect(await events.text()).toContain('"text":"three four nine"');
    },
  );

  it.each(["chirp.mp3", "chirp.ogg", "chirp.webm", "chirp.flac"])("is read from %s by what it is", async (name) => {
    const answer = await ask(readFileSync(join(fixtures, name)), "audio/wav");
    expect(answer.status).toBe(200);
    expect(await heads(answer)).toMatchObject({ words: { kind: "text" } });
  });

  it("that cannot be used is one clear problem", async () => {
    expect(await json(await ask(Buffer.from("no sound"), "audio/wav"))).toMatchObject({
      status: 422,
      errors: [{ field: "audio", problem: "this is no sound that is read here" }],
    });
    expect(await json(await ask(wav([chirp(8000)], 8000).subarray(0, 999), "audio/wav"))).toMatchObject({
      errors: [{ problem: "the file ends before its sound does" }],
    });
  });

  it("is refused where nobody reads it", async () => {
    const sound = wav([chirp(8000)], 8000);
    expect(await json(await ask(sound, "audio/wav", "/models/linear/predict"))).toMatchObject({
      status: 415,
      detail: "linear reads no files; expected application/json",
    });
    expect(await json(await ask(sound, "audio/wav", "/models/pixels/predict"))).toMatchObject({
      status: 415,
      detail: expect.stringContaining("reads no sound"),
    });
    for (const path of ["/models/digits/predict/batch", "/v2/models/digits/infer"])
      expect((await ask(sound, "audio/wav", path)).status).toBe(415);
  });

  it("in a form that is not clear is refused by field", async () => {
    const blob = new Blob([wav([chirp(8000)], 8000)]);
    expect(await json(await form({ clip: blob }))).toMatchObject({ status: 422, errors: [{ field: "clip" }] });
    expect(await json(await form({}))).toMatchObject({ status: 422 });
    expect(await json(await ask("--x\r\nnonsense", "multipart/form-data; boundary=y"))).toMatchObject({
      status: 400,
      code: "bad-form",
    });
    const twice = new FormData();
    twice.append("audio", blob);
    twice.append("audio", blob);
    const answer = await fetch(`${server.url}/models/digits/predict`, { method: "POST", body: twice });
    expect(await json(answer)).toMatchObject({ status: 422, errors: [{ problem: "the form has this field twice" }] });
  });

  it("leaves pictures the same ways", async () => {
    for (const answer of [
      await ask({ image: red.toString("base64") }, undefined, "/models/pixels/predict"),
      await ask(red, "image/png", "/models/pixels/predict"),
      await form({ image: new Blob([red]) }, "/models/pixels/predict"),
    ])
      expect(await heads(answer)).toMatchObject({ value: { value: 1 } });
  });

  it("is described by OpenAPI", async () => {
    const { paths } = (await (await server.get("/openapi.json")).json()) as {
      paths: Record<string, { post: { requestBody: { content: object } } }>;
    };
    const types = (id: string) => Object.keys(paths[`/models/${id}/predict`]!.post.requestBody.content);
    expect(types("digits")).toEqual(["application/json", "audio/*", "video/*", "multipart/form-data"]);
    expect(types("pixels")).toEqual(["application/json", "image/*", "multipart/form-data"]);
    expect(types("linear")).toEqual(["application/json"]);
    expect(Object.keys(paths).filter((path) => /^.models.\w+.stream$/.test(path))).toEqual(["/models/digits/stream"]);
  });

  it("goes to the graph as a tensor, too", async () => {
    const features = { name: "features", datatype: "FP32", shape: [1, 40, 50], data: new Array(2000).fill(-5) };
    const answer = await json(await ask({ inputs: [features] }, undefined, "/v2/models/digits/infer"));
    expect(answer).toMatchObject({ outputs: [{ name: "logits", shape: [1, 13, 11] }] });
  });
});
