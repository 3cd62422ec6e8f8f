import { describe, expect, it } from "vitest";
import { datasetNotes } from "../../../eval/gate/dataset-notes.ts";
import type { ModelMetrics } from "../../../eval/schema/metrics.ts";
import { modelFolder, sequenceManifest } from "../../models/core/build.ts";

const { manifest } = modelFolder(
  sequenceManifest("sequence.onnx", {
    dataset: { id: "texts", files: [{ path: "eval.jsonl" }], labels: { mood: { field: "mood" } } },
  }),
);
const cut = (yes: number) => ({
  name: "tokens cut",
  role: "quality" as const,
  kind: "rate" as const,
  yes,
  no: 100 - yes,
});

describe("what a reader must know about the rows", () => {
  it.each([
    [0, []],
    [12, [expect.stringMatching(/^tokens: of 12 of 100 rows only a part is read/)]],
  ])("%d of 100 texts are longer than the candidate reads", (yes, notes) => {
    expect(datasetNotes(manifest, [], {} as ModelMetrics, null, { variables: [cut(yes)] })).toEqual(notes);
  });
});
