import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readDataset } from "../../../eval/dataset/read.ts";
import { folderWith, manifestWith, offlineDeps } from "./build.ts";

const csv = "text,class\nfine,1\nbad,0\n";
const files = {
  "models/toy/rows.csv": csv,
  "models/toy/set/pos/a.txt": "good",
  "data/rows.csv": csv,
  "vendor/.git": "gitdir: ../.git/modules/vendor\n",
  "vendor/rows.csv": csv,
};

function readIn(root: string, path: string, labels = { sentiment: { field: "class", map: { 0: "neg", 1: "pos" } } }) {
  return readDataset(manifestWith({ files: [{ path }], labels }), join(root, "models/toy"), {
    ...offlineDeps("unused", root),
    placeIn: (at) => `model.yaml:7:1 ${at.join(".")}`,
  });
}

it("data anywhere in the repository is read", async () => {
  const root = folderWith(files);
  for (const path of ["rows.csv", "../../data/rows.csv", "./../toy/rows.csv"])
    expect((await readIn(root, path)).rows).toHaveLength(2);
});

it.each([
  ["above the repository", "../../../rows.csv"],
  ["at an absolute path", "/etc/hostname"],
  ["at the repository itself", "../.."],
])("data %s is refused with the line of model.yaml", async (_, path) => {
  await expect(readIn(folderWith(files), path)).rejects.toMatchObject({
    name: "ConfigurationError",
    code: "dataset-outside",
    diagnostic: { place: "model.yaml:7:1 dataset.files.0.path", received: path },
  });
});

it.each<[string, (root: string) => void, string, string]>([
  [
    "to a file outside",
    (root) => symlinkSync("/etc/hostname", join(root, "data/l.csv")),
    "l.csv",
    "path: data/eval.csv",
  ],
  [
    "to a file inside",
    (root) => symlinkSync("rows.csv", join(root, "data/l.csv")),
    "l.csv",
    "path: ../../data/rows.csv",
  ],
  ["of a folder", (root) => symlinkSync("../data", join(root, "data/l")), "l/rows.csv", "path: ../../data/rows.csv"],
])("a symbolic link %s is refused, and the file itself named where it can be", async (_, make, path, example) => {
  const root = folderWith(files);
  make(root);
  await expect(readIn(root, `../../data/${path}`)).rejects.toMatchObject({
    code: "dataset-link",
    diagnostic: { place: "model.yaml:7:1 dataset.files.0.path", example },
  });
});

it("a symbolic link in a folder of labels is refused", async () => {
  const root = folderWith(files);
  symlinkSync("/etc/hostname", join(root, "models/toy/set/pos/link.txt"));
  await expect(readIn(root, "set", { sentiment: { field: "label" } } as never)).rejects.toMatchObject({
    code: "dataset-link",
    diagnostic: { received: "set/pos/link.txt, a symbolic link" },
  });
});

it("data in a submodule is refused", async () => {
  await expect(readIn(folderWith(files), "../../vendor/rows.csv")).rejects.toMatchObject({
    code: "dataset-submodule",
    diagnostic: { received: "vendor/rows.csv, in the submodule vendor" },
  });
});
