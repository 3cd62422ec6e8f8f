import { createHash } from "node:crypto";
import { audioDecoder } from "../audio/decode.ts";
import { localFile } from "../artifact/verified-file.ts";
import { ConfigurationError, EvaluationError } from "../errors.ts";
import type { Path } from "../manifest/config-file.ts";
import { readCatalogue, type CatalogueItem } from "../catalogue/catalogue.ts";
import type { HeadFiles } from "../postprocess/compiled.ts";
import type { Head } from "../postprocess/schema.ts";
import type { CatalogueFile } from "../catalogue/schema.ts";
import { readVocabulary } from "../postprocess/vocabulary.ts";
import { openStore } from "../feature-store/open.ts";
import type { FeatureStore } from "../lookup/store.ts";
import type { StepFiles } from "../preprocess/compiled.ts";
import { placeIn, type LoadedManifest } from "./load.ts";

/** A tokenizer.json with a large vocabulary has about 20 MB, a catalogue of a million items about 50. */
export const maxModelFileBytes = 256 * 1024 * 1024;

export type OpenModelFiles = {
  steps: Record<string, StepFiles>;
  heads: Record<string, HeadFiles>;
  /** Of all files. Together with the manifest it identifies what is before and after the graph. */
  digest: string;
  /** Closes the stores that were opened here. */
  close: () => Promise<void>;
};

type ModelFileDeps = {
  /** Where the files of Git LFS pointers are; null: no pointer is followed. */
  cacheDir?: string | null;
  /** Holds the addresses of stores over a network. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Lookup step → the store that answers in the place of its own. */
  stores?: Readonly<Record<string, FeatureStore>>;
};

/**
 * Reads the files that preprocessing steps and heads name (tokenizers, feature tables, catalogues, vocabularies), so
 * that steps and heads themselves do no I/O.
 *
 * @throws ConfigurationError when a file is missing, malformed, or not the one that the manifest names.
 */
export async function readModelFiles(
  loaded: LoadedManifest,
  { cacheDir = null, env = {}, stores = {} }: ModelFileDeps = {},
): Promise<OpenModelFiles> {
  const hash = createHash("sha256");
  const read = async (owner: string, path: Path, file: { path: string; sha256?: string }): Promise<string> => {
    const found = await localFile(loaded.dir, file.path, file.sha256 ?? null, maxModelFileBytes, cacheDir).catch(
      (error: unknown) => {
        if (!(error instanceof EvaluationError)) throw error;
        throw new ConfigurationError(
          {
            ...error.diagnostic,
            place: placeIn(loaded, path),
            received: `${file.path}: ${error.diagnostic.received ?? error.diagnostic.problem}`,
          },
          { cause: error },
        );
      },
    );
    hash.update(`${owner}\0${String(path[2])}\0${found.sha256}\0`);
    return Buffer.from(found.bytes).toString("utf8");
  };
  const readObject = async (owner: string, path: Path, file: { path: string; sha256?: string }): Promise<object> => {
    const text = await read(owner, path, file);
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null) return value;
      throw new SyntaxError("not a JSON object");
    } catch (error) {
      throw new ConfigurationError(
        {
          code: "step-file",
          place: placeIn(loaded, path),
          problem: `${file.path} is not JSON`,
          expected: "a JSON object",
          received: String((error as Error).message).slice(0, 120),
        },
        { cause: error },
      );
    }
  };
  /** A step and a head mostly name the same file. It is then parsed once, and they share its map of ids. */
  const catalogues = new Map<string, readonly CatalogueItem[]>();
  const catalogueAt = async (owner: string, path: Path, file: CatalogueFile & { title?: string | undefined }) => {
    const text = await read(owner, path, file);
    const title = file.title ?? titleIn(loaded.manifest.postprocess, file);
    const key = JSON.stringify([file.sha256, file.id, title]);
    const items = catalogues.get(key) ?? readCatalogue(text, { ...file, title }, () => placeIn(loaded, path));
    catalogues.set(key, items);
    return items;
  };
  const opened: FeatureStore[] = [];
  const stepFiles = async (name: string): Promise<StepFiles> => {
    const step = loaded.manifest.preprocess[name]!;
    if (step.kind === "lookup") {
      if ("path" in step.store) hash.update(`${name}\0store\0${step.store.sha256}\0`);
      const given = stores[name];
      if (given === undefined) opened.push(await openStore(step, loaded.dir, cacheDir, env));
      return { store: given ?? opened.at(-1)! };
    }
    if (step.kind === "items")
      return { catalogue: await catalogueAt(name, ["preprocess", name, "catalogue"], step.catalogue) };
    if (step.kind === "audio") return { decodeAudio: audioDecoder(env) };
    if (step.kind !== "text") return {};
    const tokenizer = await readObject(name, ["preprocess", name, "tokenizer"], { path: step.tokenizer });
    if (step.tokenizerConfig === undefined) return { tokenizer };
    const path = ["preprocess", name, "tokenizerConfig"];
    return { tokenizer, tokenizerConfig: await readObject(name, path, { path: step.tokenizerConfig }) };
  };
  const headFiles = async (head: Head, i: number): Promise<HeadFiles> => {
    const at = (key: string): Path => ["postprocess", i, key];
    if (head.kind === "ranking") {
      return { catalogue: await catalogueAt(head.name, at("catalogue"), head.catalogue) };
    }
    if (head.kind !== "text") return {};
    const { tokenizer, vocabulary } = head;
    return {
      ...(tokenizer === undefined ? {} : { tokenizer: await readObject(head.name, at("tokenizer"), tokenizer) }),
      ...(vocabulary === undefined
        ? {}
        : {
            vocabulary: readVocabulary(await read(head.name, at("vocabulary"), vocabulary), vocabulary.path, () =>
              placeIn(loaded, at("vocabulary")),
            ),
          }),
    };
  };
  const steps: Record<string, StepFiles> = {};
  for (const name of Object.keys(loaded.manifest.preprocess)) steps[name] = await stepFiles(name);
  const heads: Record<string, HeadFiles> = {};
  for (const [i, head] of loaded.manifest.postprocess.entries()) heads[head.name] = await headFiles(head, i);
  const close = async () => {
    await Promise.all(opened.map((store) => store.close()));
  };
  return { steps, heads, digest: hash.digest("hex"), close };
}

/** The field with the items' names, which a step does not state, where a head names the same file. */
function titleIn(heads: readonly Head[], { sha256, id }: CatalogueFile): string | undefined {
  const same = heads.flatMap((head) =>
    head.kind === "ranking" && head.catalogue.sha256 === sha256 && head.catalogue.id === id ? [head.catalogue] : [],
  );
  return same[0]?.title;
}
