import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { datasetPaths } from "../../../eval/dataset/paths.ts";
import { readDataset } from "../../../eval/dataset/read.ts";
import { audioSeconds } from "../../../models/core/audio/duration.ts";
import { manifest } from "../../../models/core/manifest/manifest.ts";
import { chirp, wav } from "../../models/core/audio/chirp.ts";
import { digitsManifest } from "../../models/core/speech-model.ts";
import { refusal } from "../../models/core/build.ts";
import { folderWith, offlineDeps } from "./build.ts";

const clip = (seconds: number) => new Uint8Array(wav([chirp(8000).subarray(0, 8000 * seconds)], 8000));
const fixtures = join(import.meta.dirname, "../../fixtures/audio");

const of = (changes: object = {}) =>
  manifest.parse(
    digitsManifest({
      dataset: {
        id: "spoken",
        idField: "file",
        files: [{ path: "rows.tsv", contents: { audio: { column: "file", folder: "sounds" } } }],
        labels: { words: { field: "transcript" } },
        ...changes,
      },
    }),
  );
const table = (...rows: string[]) => `file\ttranscript\n${rows.join("\n")}\n`;

it("a column of paths gives the bytes of its files, and the seconds of each sound", async () => {
  const folder = folderWith({
    "rows.tsv": table("a/one.wav\tone", "two.wav\ttwo"),
    "sounds/a/one.wav": clip(0.5),
    "sounds/two.wav": clip(1.25),
  });
  const dataset = await readDataset(of(), folder, offlineDeps("unused"));
  expect(dataset.rows.map(({ id, labels }) => [id, labels["words"]])).toEqual([
    ["a/one.wav", { kind: "references", texts: ["one"], audioSeconds: 0.5 }],
    ["two.wav", { kind: "references", texts: ["two"], audioSeconds: 1.25 }],
  ]);
  expect(dataset.rows[0]!.row["audio"]).toEqual(clip(0.5));
  expect(datasetPaths(of().dataset!)).toEqual(["rows.tsv", "sounds"]);

  writeFileSync(join(folder, "sounds/two.wav"), clip(1));
  expect((await readDataset(of(), folder, offlineDeps("unused"))).digest).not.toBe(dataset.digest);
});

it("the seconds of a column count, where the manifest names one", async () => {
  const folder = folderWith({
    "rows.csv": "file,transcript,seconds\ntwo.wav,two,7\n",
    "sounds/two.wav": clip(1),
  });
  const files = [{ path: "rows.csv", contents: { audio: { column: "file", folder: "sounds" } } }];
  const labels = { words: { field: "transcript", audioSeconds: "seconds" } };
  const { rows } = await readDataset(of({ files, labels }), folder, offlineDeps("unused"));
  expect(rows[0]!.labels["words"]).toMatchObject({ audioSeconds: 7 });
});

it("what is no file there, or leads elsewhere, or is no sound, is a bad row", async () => {
  const folder = folderWith({
    "rows.tsv": table("../secret.wav\tx", "/etc/passwd\tx", "none.wav\tx", "deep\tx", "text.wav\tx", "two.wav\ttwo"),
    "secret.wav": clip(0.5),
    "sounds/deep/file.wav": clip(0.5),
    "sounds/text.wav": "no sound",
    "sounds/two.wav": clip(0.5),
  });
  const { badRows, rows } = await readDataset(of({ maxBadRows: 5 }), folder, offlineDeps("unused"));
  expect(rows.map(({ id }) => id)).toEqual(["two.wav"]);
  expect(badRows.map(({ reason }) => reason)).toEqual([
    'field "file" leads out of the folder with the files: "../secret.wav"',
    expect.stringContaining('field "file"'),
    'field "file" names a file that is not there: "none.wav"',
    'field "file" names what is no file: "deep"',
    expect.stringContaining("no sound that is read here"),
  ]);
  symlinkSync(join(folder, "secret.wav"), join(folder, "sounds/link.wav"));
  expect((await refusal(() => readDataset(of(), folder, offlineDeps("unused")))).code).toBe("dataset-link");
});

it("files of rows are not read from a package", () => {
  const npm = { npm: "sounds@1.0.0", integrity: `sha512-${"A".repeat(86)}==` };
  expect(() =>
    of({ files: [{ path: "rows.tsv", ...npm, contents: { audio: { column: "file", folder: "sounds" } } }] }),
  ).toThrow(/read from the repository, not from a package/);
});

it.each(["chirp.mp3", "chirp.flac", "chirp.ogg", "chirp.opus", "chirp.webm", "chirp.m4a", "chirp.aac", "chirp.mp4"])(
  "how long %s is stands in the file",
  async (name) => {
    expect(await audioSeconds(readFileSync(join(fixtures, name)))).toBeCloseTo(1.5, 1);
  },
);
