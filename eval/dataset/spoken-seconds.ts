import { audioSeconds } from "../../models/core/audio/duration.ts";
import { UnusableAudio } from "../../models/core/audio/unusable-audio.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import type { DatasetRow } from "./row.ts";

/**
 * Fills in how long the sounds are that texts were spoken in, where the manifest names no column for it. It is asked of
 * the files' own headers; nothing is decoded.
 *
 * @returns null where nothing is to be filled in; else a function whose text says why a row is unusable
 */
export function secondsFiller({
  dataset,
  preprocess,
  postprocess,
}: Pick<Manifest, "dataset" | "preprocess" | "postprocess">): ((row: DatasetRow) => Promise<string | null>) | null {
  const step = Object.values(preprocess).find(({ kind }) => kind === "audio");
  const heads = Object.entries(dataset?.labels ?? {}).flatMap(([name, { audioSeconds: column }]) =>
    column === undefined && postprocess.some((head) => head.name === name && head.kind === "text") ? [name] : [],
  );
  if (step?.kind !== "audio" || heads.length === 0) return null;
  return async ({ row, labels }) => {
    const held = row[step.field];
    const bytes = typeof held === "string" ? Buffer.from(held.slice(held.indexOf(",") + 1), "base64") : held;
    // What is no sound at all is the model's to refuse.
    if (!(bytes instanceof Uint8Array)) return null;
    try {
      const seconds = await audioSeconds(bytes);
      for (const name of heads) {
        const label = labels[name];
        if (typeof label === "object" && label.kind === "references") label.audioSeconds = seconds;
      }
      return null;
    } catch (error) {
      if (!(error instanceof UnusableAudio)) throw error;
      return `field "${step.field}": ${error.problem}: ${error.shown}`;
    }
  };
}
