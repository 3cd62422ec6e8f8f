import { z } from "zod";
import { artifactDigest } from "../../models/core/manifest/artifact-files.ts";

const file = z.object({ sha256: z.string() });
const named = file.extend({
  graphs: z.object({ decoder: file.optional(), decoder_with_past: file.optional() }).optional(),
});

/** The digest of the weights that an unread `artifact` of a model.yaml names; null where it names none. */
export function digestNamed(artifact: unknown): string | null {
  const read = named.safeParse(artifact);
  return read.success ? artifactDigest(read.data) : null;
}
