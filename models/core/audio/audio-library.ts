import { ConfigurationError } from "../errors.ts";

/**
 * Loaded only when such a sound comes: most models hear nothing, and WAVE needs none of them. A missing package is a
 * ConfigurationError, not the fault of the row.
 */
const packages = {
  mediabunny: () => import("mediabunny"),
  "mpg123-decoder": () => import("mpg123-decoder"),
  "@wasm-audio-decoders/flac": () => import("@wasm-audio-decoders/flac"),
  "@wasm-audio-decoders/ogg-vorbis": () => import("@wasm-audio-decoders/ogg-vorbis"),
  "opus-decoder": () => import("opus-decoder"),
};
type Packages = typeof packages;

/** @throws ConfigurationError `audio-library` where it is not installed */
export async function audioLibrary<Name extends keyof Packages>(
  name: Name,
): Promise<Awaited<ReturnType<Packages[Name]>>> {
  try {
    return (await packages[name]()) as Awaited<ReturnType<Packages[Name]>>;
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "audio-library",
        place: "preprocess",
        problem: "a library that decodes sound cannot be loaded",
        expected: `the package ${name}`,
        received: String((error as Error).message).split("\n", 1)[0] ?? "",
        hint: `npm install --no-save ${Object.keys(packages).join(" ")}`,
      },
      { cause: error },
    );
  }
}
