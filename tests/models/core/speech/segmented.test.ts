import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cutter, cut } from "../../../../models/core/speech/cutter.ts";
import { openVoiceActivity, type VoiceActivity } from "../../../../models/core/speech/voice-activity.ts";
import { segmentSettings } from "../../../../models/core/manifest/segment.ts";
import { openPredictor, type Predictor } from "../../../../models/core/predictor/predictor.ts";
import { recording, sharedData, where } from "../audio/shared-speech.ts";
import { spoken, spokenDigit } from "../audio/spoken-digits.ts";
import { wav } from "../audio/chirp.ts";
import { fixture, modelFolder, offline, predictorOf, refusal, sha256 } from "../build.ts";
import { digitsManifest, speechFiles } from "../speech-model.ts";
import { samplesOf } from "../wave-samples.ts";

const settings = segmentSettings.parse({ graph: { path: "vad.onnx", sha256: "0".repeat(64) } });
const graph = (name: string) => {
  const bytes = fixture(name);
  return { bytes, sha256: sha256(bytes), source: name, externalData: [], totalBytes: bytes.length };
};
/** Repeatable noise, uniform in ±level. */
const noise = (length: number, level: number) => {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return level * (2 * (state / 2_147_483_647) - 1);
  });
};

let activity: VoiceActivity;
beforeAll(async () => {
  activity = await openVoiceActivity(graph("silero_vad.onnx"), "model.yaml");
});
afterAll(() => activity.close());

describe("voice activity", () => {
  it("is not in silence, nor in noise", async () => {
    for (const rate of [8000, 16_000])
      for (const level of [0, 0.01, 0.3])
        expect(await cut(noise(3 * rate, level), activity, settings, rate)).toEqual([]);
  });

  it.skipIf(sharedData === null)(`is in speech, at its places ${where}`, async () => {
    const voice = activity.stream(16_000);
    const speech = samplesOf(recording("sense_and_sensibility_01_austen_64kb-0870.wav"));
    let sum = 0;
    const windows = Math.floor(speech.length / 512);
    for (let i = 0; i < windows; i++) sum += await voice.probability(speech.subarray(512 * i, 512 * (i + 1)));
    expect(sum / windows).toBeGreaterThan(0.5);
    const silence = new Float32Array(32_000);
    const framed = new Float32Array(silence.length + speech.length + silence.length);
    framed.set(speech, silence.length);
    const segments = await cut(framed, activity, settings, 16_000);
    expect(segments.length).toBeGreaterThan(0);
    expect(segments[0]!.start / 16_000).toBeGreaterThan(1.7);
    expect(segments[0]!.start / 16_000).toBeLessThan(2.4);
    expect(segments.at(-1)!.end).toBeLessThan(silence.length + speech.length + 3200);
  });

  it.skipIf(sharedData === null)(`is cut at the same places however the sound comes ${where}`, async () => {
    const speech = samplesOf(recording("jfk.wav"));
    const whole = await cut(speech, activity, settings, 16_000);
    expect(whole.length).toBeGreaterThan(1);
    for (const size of [160, 1000, 7777]) {
      const cutter = new Cutter(activity, settings, 16_000);
      const found = [];
      for (let at = 0; at < speech.length; at += size)
        found.push(...(await cutter.push(speech.subarray(at, at + size))));
      expect([...found, ...(await cutter.finish())]).toEqual(whole);
    }
  });

  it("takes no other graph", async () => {
    const error = await refusal(() => openVoiceActivity(graph("linear.onnx"), "model.yaml:9"));
    expect(error.diagnostic).toMatchObject({ code: "segment-graph", received: "no input, state, sr, output, stateN" });
  });
});

describe("a manifest with segments", () => {
  it.each<[string, object, RegExp]>([
    ["without a sound", { preprocess: { row: { kind: "tensor", field: "x" } } }, /no step reads one/],
    ["of another step", { segment: { ...digitsManifest().segment, step: "clip" } }, /no audio step "clip"/],
    ["at another rate", { preprocess: { audio: { kind: "audio", rate: 22_050, logMel: {} } } }, /at 8000 or 16000 Hz/],
    [
      "with another head",
      { postprocess: [...digitsManifest().postprocess, { name: "x", from: "logits", kind: "regression" }] },
      /the head "x" answers with regression/,
    ],
    ["off above on", { segment: { ...digitsManifest().segment, off: 0.9 } }, /`off` is at most `on`/],
  ])("is refused: %s", async (_, changes, message) => {
    const error = await refusal(() => modelFolder(digitsManifest(changes), speechFiles));
    expect(error.message).toMatch(message);
  });

  it("whose graph is another file than it says is refused", async () => {
    const loaded = modelFolder(digitsManifest(), { ...speechFiles, "silero_vad.onnx": fixture("linear.onnx") });
    expect((await refusal(() => openPredictor(loaded, {}, offline))).code).toBe("artifact-digest");
  });
});

const order = [3, 1, 4, 2, 5, 9];
const parts = () => order.map((digit, i) => spokenDigit(digit, ["jackson", "theo"][i % 2]!, i % 5));

describe.skipIf(sharedData === null)(`a sound of several segments ${where}`, () => {
  let predictor: Predictor;
  beforeAll(async () => {
    predictor = await predictorOf(digitsManifest(), {}, speechFiles as Record<string, string>);
  });
  const textOf = async (audio: unknown) => (await predictor.predictOne({ audio }))["words"]!;

  it("has the texts of its segments, and says where they are", async () => {
    const answer = await textOf(wav([spoken(parts(), 800)], 8000));
    if (answer.kind !== "text") throw new Error("no text");
    expect(answer.text).toBe("three one four two five nine");
    expect(answer.segments!.map(({ text }) => text)).toEqual(answer.text.split(" "));
    const sound = spoken(parts(), 800);
    let at = 0.8;
    for (const [i, { start, end }] of answer.segments!.entries()) {
      const length = parts()[i]!.length / 8000;
      expect(Math.abs(start - at)).toBeLessThan(0.25);
      expect(end).toBeGreaterThan(start);
      expect(end).toBeLessThanOrEqual(at + length + 0.3);
      at += length + 0.8;
    }
    expect(answer.segments!.at(-1)!.end).toBeLessThanOrEqual(sound.length / 8000);
  });

  it("is answered as its segments are alone", async () => {
    const sound = spoken(parts(), 800);
    const answer = await textOf(wav([sound], 8000));
    if (answer.kind !== "text") throw new Error("no text");
    for (const { start, end, text } of answer.segments!) {
      const pcm = Float32Array.from(sound.subarray(Math.round(8000 * start), Math.round(8000 * end)));
      expect(await textOf({ pcm })).toEqual({ kind: "text", text, finishReason: "stop", usage: null });
    }
  });

  it("without speech is an empty text", async () => {
    expect(await textOf(wav([new Float32Array(16_000)], 8000))).toEqual({
      kind: "text",
      text: "",
      finishReason: "stop",
      usage: null,
      segments: [],
    });
  });

  it("is a row among others: a bad one harms none, and order is kept", async () => {
    const good = wav([spoken(parts().slice(0, 2), 800)], 8000);
    const last = wav([spoken(parts().slice(4), 800)], 8000);
    const results = await predictor.predict([{ audio: good }, { audio: Buffer.from("nothing") }, { audio: last }]);
    expect(results.map((one) => (one.ok ? (one.heads["words"] as { text: string }).text : one.error.code))).toEqual([
      "three one",
      "bad-row",
      "five nine",
    ]);
  });

  it("gets its features whole, and parity by segment", async () => {
    const row = { audio: wav([spoken(parts(), 800)], 8000) };
    const taken: Float64Array[] = [];
    await predictor.predict([row], { observe: { wants: () => true, take: (_, features) => taken.push(features) } });
    expect(taken[0]![0]).toBeCloseTo(spoken(parts(), 800).length / 8000, 3);
    expect(await predictor.batchParity([row])).toMatchObject({ ok: true, rows: 6, repeatable: true });
  });

  it("is another model where it is cut otherwise", async () => {
    const other = await predictorOf(
      digitsManifest({ segment: { ...digitsManifest().segment!, minSilenceMs: 300 } }),
      {},
      speechFiles as Record<string, string>,
    );
    expect(other.describe().sha256).toBe(predictor.describe().sha256);
    expect(other.describe().filesDigest).not.toBe(predictor.describe().filesDigest);
  });
});
