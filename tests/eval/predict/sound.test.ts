import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDataset } from "../../../eval/dataset/read.ts";
import { predictDataset } from "../../../eval/predict/predict.ts";
import type { Predictions } from "../../../eval/predictions/predictions.ts";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import { wav } from "../../models/core/audio/chirp.ts";
import { sharedData, where } from "../../models/core/audio/shared-speech.ts";
import { spoken, spokenDigit } from "../../models/core/audio/spoken-digits.ts";
import { modelFolder, offline, temporaryFolder } from "../../models/core/build.ts";
import { digitsManifest, speechFiles } from "../../models/core/speech-model.ts";
import { offlineDeps } from "../dataset/build.ts";

const names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const rows = [
  [3, 4, 9],
  [1, 2],
  [5, 9, 4],
];

describe.skipIf(sharedData === null)(`an evaluation of a model that hears ${where}`, () => {
  it("has its texts, the seconds of each row, and a cache that knows the bytes", async () => {
    const sounds = rows.map((digits, k) =>
      wav(
        [
          spoken(
            digits.map((digit, i) => spokenDigit(digit, ["jackson", "theo"][i % 2]!, k % 5)),
            800,
          ),
        ],
        8000,
      ),
    );
    const table = rows.map((digits, i) => `${i}.wav\t${digits.map((digit) => names[digit]).join(" ")}`);
    const { dir } = modelFolder(
      digitsManifest({
        dataset: {
          id: "spoken",
          idField: "file",
          files: [{ path: "rows.tsv", contents: { audio: { column: "file", folder: "." } } }],
          labels: { words: { field: "transcript" } },
        },
      }),
      {
        ...speechFiles,
        "rows.tsv": `file\ttranscript\n${table.join("\n")}\n`,
        ...Object.fromEntries(sounds.map((bytes, i) => [`${i}.wav`, new Uint8Array(bytes)])),
      },
    );
    const loaded = await loadManifest(dir);
    const predictor = await openPredictor(loaded, {}, offline);
    const cacheDir = temporaryFolder();
    const run = async () => {
      const dataset = await readDataset(loaded.manifest, dir, offlineDeps("unused"));
      return predictDataset({ predictor, manifest: loaded.manifest, dataset }, { cacheDir });
    };
    const textsOf = ({ answers }: Predictions) => {
      if (answers?.kind !== "text") throw new Error("no texts");
      return answers;
    };
    const first = await run();
    const { hypotheses, audioSeconds, references } = textsOf(first.predictions[0]!);
    expect(hypotheses).toEqual(
      await Promise.all(sounds.map(async (audio) => textOf(await predictor.predictOne({ audio })))),
    );
    expect(references).toEqual(rows.map((digits) => [digits.map((digit) => names[digit]).join(" ")]));
    expect([...audioSeconds!]).toEqual(sounds.map(({ length }) => (length - 44) / 16_000));
    expect((await run()).cachedRows).toBe(3);
    writeFileSync(join(dir, "1.wav"), wav([spoken([spokenDigit(7, "jackson", 0)], 800)], 8000));
    const changed = await run();
    expect(changed.cachedRows).toBe(0);
    expect(textsOf(changed.predictions[0]!).hypotheses[1]).not.toBe(hypotheses[1]);
    await predictor.close();
  });
});

const textOf = (heads: Record<string, unknown>) => (heads["words"] as { text: string }).text;
