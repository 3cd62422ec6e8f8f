import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { ManifestInput } from "../../../models/core/manifest/manifest.ts";
import { parseManifest } from "../../../models/core/predictor/load.ts";
import { dark, sidesManifest, type Augmentations } from "../../eval/augment/team.ts";
import { refusal, sequenceManifest } from "./build.ts";

const refused = async (work: () => unknown) => (await refusal(work)).message;
const parse = (manifest: ManifestInput) => parseManifest(stringify(manifest), "models/x", "model.yaml");
const withList = (augmentations: unknown, more: Partial<ManifestInput> = {}) =>
  parse(sidesManifest("sides", more, augmentations as Augmentations));
const textModel = (augmentations: Augmentations, more: Partial<ManifestInput> = {}) =>
  parse(
    sequenceManifest("sequence.onnx", {
      dataset: { id: "texts", files: [{ path: "rows.jsonl" }], labels: { mood: { field: "label" } }, augmentations },
      ...more,
    }),
  );
const typos: Augmentations[number] = { name: "typos", kind: "typos", rate: 0.1 };

describe("augmentations in model.yaml", () => {
  it("default to the field of the step, and to all rows", () => {
    expect(textModel([typos]).manifest.dataset?.augmentations).toEqual([{ ...typos, field: "text" }]);
    expect(withList([dark]).manifest.dataset?.augmentations).toEqual([dark]);
  });

  it.each<[string, unknown, RegExp[]]>([
    ["an unknown kind", [{ name: "x", kind: "image-shear" }], [/augmentations\[0\]\.kind/, /image-blur/]],
    [
      "sounds of a model of pictures",
      [{ name: "x", kind: "audio-noise", snrDb: 10 }],
      [/audio-noise alters a sound, and no/],
    ],
    ["a key of another kind", [{ ...dark, sigma: 1 }], [/sigma/]],
    ["no factor", [{ name: "x", kind: "image-brightness" }], [/augmentations\[0\]\.factor/]],
    ["a name twice", [dark, dark], [/augmentations\[1\]\.name/, /"dark" stands before/]],
    ["a name with a slash", [{ ...dark, name: "a/b" }], [/augmentations\[0\]\.name/, /example: +name: dark/]],
    ["another field", [{ ...dark, field: "pictures" }], [/no image step reads the field "pictures"/, /field: picture/]],
    ["texts of a model of pictures", [typos], [/typos alters a text, and no step of the model reads one/]],
    ["a share and a number", [{ ...dark, share: 0.5, rows: 9 }], [/leave one out/]],
    ["no row", [{ ...dark, rows: 0 }], [/augmentations\[0\]\.rows/]],
    ["a blur too small to see", [{ name: "x", kind: "image-blur", field: "picture", sigma: 0.1 }], [/0, or from 0.3/]],
  ])("are refused with %s", async (_, list, words) => {
    const said = await refused(() => withList(list));
    for (const one of words) expect(said).toMatch(one);
  });

  it("of a text that follows another are refused where places in both are the answer", async () => {
    const said = await refused(() =>
      textModel([{ ...typos, field: "more" }], {
        task: "token-classification",
        preprocess: { tokens: { kind: "text", append: ["more"] } },
        postprocess: [{ name: "mood", from: "logits", kind: "spans", labels: ["O", "B-X"] }],
      }),
    );
    expect(said).toMatch(/"more" is appended to a text of which true spans are places/);
  });

  it("are needed by a check that asks for them", async () => {
    const gates = sidesManifest("sides").gates!;
    expect(await refused(() => withList([], { gates }))).toMatch(/there are no dataset\.augmentations/);
    expect(
      await refused(() =>
        withList([dark], { dataset: { ...sidesManifest("sides").dataset!, slices: ["augmentation"] } }),
      ),
    ).toMatch(/"augmentation" is a column that every prediction file has of its own/);
  });
});
