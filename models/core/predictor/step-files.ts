import { createHash } from "node:crypto";
import { ConfigurationError, EvaluationError } from "../errors.ts";
import { placeIn, type LoadedManifest } from "./load.ts";
import { openStore } from "../feature-store/open.ts";
import type { FeatureStore } from "../lookup/store.ts";
import type { StepFiles } from "../preprocess/compiled.ts";
import { localFile } from "../artifact/verified-file.ts";

/** A tokenizer.json with a large vocabulary has about 20 MB. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

export type OpenStepFiles = {
  files: Record<string, StepFiles>;
  /** Of all files. Together with the manifest it identifies the preprocessing. */
  digest: string;
  /** Closes the stores that were opened here. */
  close: () => Promise<void>;
};

type StepFileDeps = {
  /** Where the files of Git LFS pointers are; null: no pointer is followed. */
  cacheDir?: string | null;
  /** Holds the addresses of stores over a network. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Lookup step → the store that answers in the place of its own. */
  stores?: Readonly<Record<string, FeatureStore>>;
};

/**
 * Reads the files that preprocessing steps name (tokenizers, feature tables), so that the steps themselves do no I/O.
 *
 * @throws ConfigurationError when a file is missing or is not what its step needs
 */
export async function readStepFiles(
  loaded: LoadedManifest,
  { cacheDir = null, env = {}, stores = {} }: StepFileDeps = {},
): Promise<OpenStepFiles> {
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
  const opened: FeatureStore[] = [];
  for (const [name, step] of Object.entries(loaded.manifest.preprocess)) {
    if (step.kind === "text")
      files[name] = {
        tokenizer: await read(name, "tokenizer", step.tokenizer),
        ...(step.tokenizerConfig === undefined
          ? {}
          : { tokenizerConfig: await read(name, "tokenizerConfig", step.tokenizerConfig) }),
      };
    else if (step.kind === "lookup") {
      if ("path" in step.store) hash.update(`${name}\0store\0${step.store.sha256}\0`);
      const given = stores[name];
      if (given === undefined) opened.push(await openStore(step, loaded.dir, cacheDir, env));
      files[name] = { store: given ?? opened.at(-1)! };
    } else files[name] = {};
  }
  return {
    files,
    digest: hash.digest("hex"),
    close: async () => {
      await Promise.all(opened.map((store) => store.close()));
    },
  };
}
