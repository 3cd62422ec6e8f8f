import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readDataset } from "../../../eval/dataset/read.ts";
import { folderWith, manifestWith, offlineDeps } from "./build.ts";

const labels = { sentiment: { field: "label" } };

it("a folder: one sub-folder per label, one file per row, contents read on access", async () => {
  const folder = folderWith({
    "set/pos/b.png": new Uint8Array([1, 2, 255]),
    "set/pos/a.txt": "good é",
    "set/neg/a.png": new Uint8Array([3]),
    "set/neg/.hidden": "",
  });
  const manifest = manifestWith({ files: [{ path: "set" }], labels });
  const dataset = await readDataset(manifest, folder, offlineDeps("unused"));
  expect(
    dataset.rows.map(({ id, labels: truth, row }) => [
      id,
      truth["sentiment"],
      row["path"],
      row["text"] ?? row["image"],
    ]),
  ).toEqual([
    ["set:0", "neg", "neg/a.png", new Uint8Array([3])],
    ["set:1", "pos", "pos/a.txt", "good é"],
    ["set:2", "pos", "pos/b.png", new Uint8Array([1, 2, 255])],
  ]);
  expect("label" in dataset.rows[0]!.row).toBe(false);
  expect(dataset.placeOf(2)).toBe("set/pos/b.png");

  writeFileSync(join(folder, "set/pos/b.png"), new Uint8Array([1, 2, 254]));
  expect(dataset.rows[2]!.row["image"]).toEqual(new Uint8Array([1, 2, 254]));
  expect((await readDataset(manifest, folder, offlineDeps("unused"))).digest).not.toBe(dataset.digest);
});

it("stray files and folders without labels are reported", async () => {
  const folder = folderWith({ "set/pos/a.txt": "x", "set/stray.txt": "", "empty/stray.txt": "" });
  const { badRows, rows } = await readDataset(
    manifestWith({ files: [{ path: "set" }], labels, maxBadRows: 1 }),
    folder,
    offlineDeps("unused"),
  );
  expect(rows).toHaveLength(1);
  expect(badRows).toEqual([{ place: "set/stray.txt", reason: "not inside a label's sub-folder" }]);
  await expect(
    readDataset(manifestWith({ files: [{ path: "empty" }], labels }), folder, offlineDeps("unused")),
  ).rejects.toMatchObject({ code: "folder-without-labels" });
});
