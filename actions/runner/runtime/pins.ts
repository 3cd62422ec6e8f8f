import { z } from "zod";

/** One native file of the npm package, at the time when the action was built. */
const pinnedFile = z.strictObject({
  name: z.string(),
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** The native runtime that the bundle was built against. No other is loaded unless `ort-dir` names it. */
export const nativePins = z.strictObject({
  package: z.string(),
  version: z.string(),
  integrity: z
    .string()
    .regex(/^sha512-/)
    .describe("npm's integrity of the package's tarball, from package-lock.json."),
  folder: z.string().describe("Folder inside the package; PLATFORM/ARCH follows."),
  binding: z.string().describe("The file that Node loads; it finds the others beside itself."),
  platforms: z.record(z.string(), z.array(pinnedFile).min(1)).describe('Files by "PLATFORM-ARCH".'),
});
export type NativePins = z.infer<typeof nativePins>;
export type PinnedFile = NativePins["platforms"][string][number];
