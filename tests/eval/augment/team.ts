import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { stringify } from "yaml";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { fixture, sha256 } from "../../models/core/build.ts";
import { folderWith } from "../dataset/build.ts";

const fixtures = join(import.meta.dirname, "../../fixtures");

/** A grey picture, 8 × 8, whose left or right half is brighter: 150 against 40, and a little noise. */
async function picture(i: number): Promise<Buffer> {
  const bright = i % 2;
  const raw = Uint8Array.from({ length: 64 }, (_, at) => {
    const inside = Number(at % 8 >= 4) === bright;
    return (inside ? 150 : 40) + ((at * 31 + i * 17) % 23) - 11;
  });
  return sharp(raw, { raw: { width: 8, height: 8, channels: 1 } })
    .png()
    .toBuffer();
}

type SidesRow = { id: string; picture: string; side: string; camera: string };

/** Pictures with the side that is brighter, as base64. */
async function pictureRows(count = 44): Promise<SidesRow[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      id: `p${i}`,
      picture: (await picture(i)).toString("base64"),
      side: i % 2 === 0 ? "left" : "right",
      camera: i % 3 === 0 ? "old" : "new",
    })),
  );
}

export type Augmentations = NonNullable<NonNullable<ManifestInput["dataset"]>["augmentations"]>;

export const dark = { name: "dark", kind: "image-brightness" as const, field: "picture", factor: 0.5 };

/** The model that sees (`sides`), or the one that is blind in the dark (`sides-blind`). */
export function sidesManifest(
  onnx: "sides" | "sides-blind",
  changes: Partial<ManifestInput> = {},
  augmentations: Augmentations = [dark],
): ManifestInput {
  return {
    schemaVersion: 1,
    id: "sides",
    version: "1.1.0",
    task: "binary-classification",
    artifact: { path: `${onnx}.onnx`, sha256: sha256(fixture(`${onnx}.onnx`)) },
    preprocess: {
      pixels: { kind: "image", field: "picture", resize: { width: 8, height: 8 }, channels: "gray" },
    },
    inputs: [{ name: "pixels", dtype: "float32", shape: ["batch", 1, 8, 8], from: "pixels.pixels" }],
    outputs: [{ name: "logits", dtype: "float32", shape: ["batch", 2] }],
    postprocess: [
      { name: "side", from: "logits", kind: "classification", activation: "softmax", labels: ["left", "right"] },
    ],
    dataset: {
      id: "pictures",
      files: [{ path: "rows.jsonl" }],
      idField: "id",
      labels: { side: { field: "side" } },
      slices: ["camera"],
      augmentations,
    },
    gates: {
      minimumPerClass: 10,
      checks: [
        { kind: "non-inferiority", metric: "accuracy", margin: 0.1 },
        ...(augmentations.length === 0
          ? []
          : [{ kind: "non-inferiority" as const, metric: "accuracy" as const, margin: 0.1, slices: ["augmentation"] }]),
      ],
    },
    ...changes,
  };
}

/** A repository whose production sees in the dark; `model` writes what is in the working tree. */
export async function sidesRepository(augmentations?: Augmentations) {
  const dir = folderWith({ "sluice.yaml": "schemaVersion: 1\nmodels: [models/sides]\n" });
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  };
  const git = (...args: string[]) =>
    execFileSync(
      "git",
      ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main", ...args],
      { cwd: dir, encoding: "utf8" },
    );
  const model = (...manifest: Parameters<typeof sidesManifest>) =>
    write("models/sides/model.yaml", stringify(sidesManifest(...manifest)));
  write("models/sides/rows.jsonl", (await pictureRows()).map((row) => `${JSON.stringify(row)}\n`).join(""));
  for (const name of ["sides", "sides-blind"])
    cpSync(join(fixtures, `${name}.onnx`), join(dir, `models/sides/${name}.onnx`));
  model("sides", { version: "1.0.0" }, augmentations);
  const commit = (message: string) => {
    git("add", "-A");
    git("commit", "-qm", message);
  };
  git("init", "-q");
  commit("The first version");
  const read = (path: string) => readFileSync(join(dir, path), "utf8");
  return { dir, write, read, model, commit };
}
