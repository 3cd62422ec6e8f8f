import { createHash } from "node:crypto";
import { ConfigurationError, EvaluationError } from "../errors.ts";
import { placeIn, type LoadedManifest } from "./load.ts";
import type { StepFiles } from "../preprocess/compiled.ts";
import { localFile } from "../artifact/verified-file.ts";

/** A tokenizer.json with a large vocabulary has about 20 MB. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * Reads the files that preprocessing steps name (tokenizers), so that the steps themselves do no I/O.
 *
 * @param cacheDir where the files of Git LFS pointers are; null: no pointer is followed
 * @returns files per step, and one digest of all of them. Together with the manifest, the digest identifies the
 *   preprocessing.
 * @throws ConfigurationError when a file is missing or is not JSON.
 */
export async function readStepFiles(
  loaded: LoadedManifest,
  cacheDir: string | null = null,
): Promise<{ files: Record<string, StepFiles>; digest: string }> {
  const hash = createHash("sha256");
  const read = async (step: string, key: string, path: string): Promise<object> => {
    const place = () => placeIn(loaded, ["preprocess", step, key]);
    const file = await localFile(loaded.dir, path, null, MAX_FILE_BYTES, cacheDir).catch((error: unknown) => {
      if (!(error instanceof EvaluationError)) throw error;
      throw new ConfigurationError(
        {
          ...error.diagnostic,
          place: place(),
          received: `${path}: ${error.diagnostic.received ?? error.diagnostic.problem}`,
        },
        { cause: error },
      );
    });
    hash.update(`${step}\0${key}\0${file.sha256}\0`);
    try {
      const value: unknown = JSON.parse(Buffer.from(file.bytes).toString("utf8"));
      if (typeof value === "object" && value !== null) return value;
      throw new SyntaxError("not a JSON object");
    } catch (error) {
      throw new ConfigurationError(
        {
          code: "step-file",
          place: place(),
          problem: `${path} is not JSON`,
          expected: "a JSON object",
          received: String((error as Error).message).slice(0, 120),
        },
        { cause: error },
      );
    }
  };
  const files: Record<string, StepFiles> = {};
  for (const [name, step] of Object.entries(loaded.manifest.preprocess)) {
    files[name] =
      step.kind !== "text"
        ? {}
        : {
            tokenizer: await read(name, "tokenizer", step.tokenizer),
            ...(step.tokenizerConfig === undefined
              ? {}
              : { tokenizerConfig: await read(name, "tokenizerConfig", step.tokenizerConfig) }),
          };
  }
  return { files, digest: hash.digest("hex") };
}
