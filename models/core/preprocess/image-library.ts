import { ConfigurationError } from "../errors.ts";

/**
 * Loaded only for models with images, because it is native and slow to load. A missing library is a ConfigurationError,
 * so that no placeholder can hide it.
 */
export async function imageLibrary(): Promise<(typeof import("sharp"))["default"]> {
  try {
    const { default: sharp } = await import("sharp");
    // In a bundle the import succeeds even without the library; only its first use fails.
    if (typeof sharp.versions.sharp !== "string") throw new Error("sharp does not tell its version");
    return sharp;
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "image-library",
        place: "preprocess",
        problem: "the image library cannot be loaded",
        expected: "the package sharp",
        received: String((error as Error).message).split("\n", 1)[0] ?? "",
        hint: "npm install --no-save sharp",
      },
      { cause: error },
    );
  }
}
