import { z } from "zod";

/** Keys of a file beside model.yaml that the manifest names with its digest. */
export const namedFile = {
  path: z.string().min(1).describe("Path relative to model.yaml."),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits")
    .describe("SHA-256 of the file's bytes."),
};
