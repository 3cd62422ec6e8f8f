import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fieldPath } from "../field-path.ts";
import { compileGraph, type CompiledGraph } from "../graph/compile.ts";
import { folderBeside, folderInside, kindOf } from "../graph/nodes.ts";
import { graphManifest, type GraphManifest, type GraphStep } from "../graph/schema.ts";
import { surrogateOf } from "../graph/surrogate.ts";
import { locate, parseYaml, type Path } from "../manifest/config-file.ts";
import { explainIssues } from "../manifest/config-issues.ts";
import { ConfigurationError, type Diagnostic } from "../errors.ts";
import { manifest, type Manifest } from "../manifest/manifest.ts";
import { manifestExamples } from "../manifest/manifest-examples.ts";
import { yamlAt } from "../manifest/schema-example.ts";
import {
  fallbackManifest,
  remoteBackends,
  remoteManifest,
  type FallbackManifest,
  type RemoteManifest,
} from "../../remote/manifest.ts";

export const MANIFEST_FILE = "model.yaml";

/** Any model.yaml; `backend` tells the kinds apart. */
export const modelFile = z.discriminatedUnion("backend", [manifest, remoteManifest, fallbackManifest, graphManifest]);

/**
 * A manifest and where it comes from. Its paths are relative to `dir`; `text` is its source, to find lines for errors.
 */
export type LoadedManifest = {
  /** Of a composition: it as one model; see `surrogateOf`. */
  manifest: Manifest;
  dir: string;
  file: string;
  text: string;
  /** Absent unless other models answer. */
  composition?: Composition;
};
/** A graph and its models: those that it names itself, by id. */
export type Composition = {
  declared: GraphManifest;
  graph: CompiledGraph;
  models: ReadonlyMap<string, LoadedManifest>;
};
type LoadedGraph = { manifest: GraphManifest; dir: string; file: string; text: string };
export type LoadedRemote = { manifest: RemoteManifest | FallbackManifest; dir: string; file: string; text: string };

/**
 * Reads the `model.yaml` in a model's folder, for callers that need the model's artifact.
 *
 * @throws ConfigurationError when there is none, when it does not fit the schema (all problems at once), or when the
 *   model has a remote backend and so nothing to measure or upload.
 */
export async function loadManifest(dir: string): Promise<LoadedManifest> {
  return withArtifact(await loadModelFile(dir));
}

/** Like `loadManifest`, for models of any backend; `isRemote` tells them apart. */
export function loadModelFile(dir: string): Promise<LoadedManifest | LoadedRemote> {
  return loadWithin(dir, []);
}

/** @param within ids of the compositions that this one is a part of, outermost first */
async function loadWithin(dir: string, within: readonly string[]): Promise<LoadedManifest | LoadedRemote> {
  const file = join(dir, MANIFEST_FILE);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError(
      {
        code: "manifest-missing",
        place: file,
        problem: "no model manifest here",
        expected: `a folder with a ${MANIFEST_FILE}`,
        received: error.code ?? error.message,
        example: "models/mood/model.yaml",
      },
      { cause: error },
    );
  });
  const found = parseModelFile(text, dir, file);
  return isGraph(found) ? compose(found, within) : found;
}

export function isRemote(loaded: LoadedManifest | LoadedRemote): loaded is LoadedRemote {
  return remoteBackends.includes(loaded.manifest.backend);
}

/**
 * Like `loadManifest`, for text from elsewhere (an older version from git, for example). `dir` holds the artifact and
 * the other files.
 */
export function parseManifest(text: string, dir: string, file: string): LoadedManifest {
  const found = parseModelFile(text, dir, file);
  if (!isGraph(found)) return withArtifact(found);
  throw new ConfigurationError({
    code: "composition",
    place: placeIn(found, ["backend"]),
    problem: `the model ${found.manifest.id} is a composition: it has no weights of its own`,
    expected:
      "one of its models: " +
      modelSteps(found)
        .map(({ model }) => model)
        .join(", "),
    received: "backend: graph",
  });
}

function parseModelFile(text: string, dir: string, file: string): LoadedManifest | LoadedRemote | LoadedGraph {
  return { manifest: parseYaml(text, file, modelFile, manifestExamples), dir, file, text } as
    | LoadedManifest
    | LoadedRemote
    | LoadedGraph;
}

/** Models of a composition at most, those of compositions in it included: each is opened. */
const MAX_MODELS = 64;

const isGraph = (found: LoadedManifest | LoadedRemote | LoadedGraph): found is LoadedGraph =>
  found.manifest.backend === "graph";

/** The steps of a graph that name a model, with their places. */
function modelSteps({ manifest: { nodes } }: LoadedGraph): { model: string; path: Path }[] {
  return Object.entries(nodes).flatMap(([name, node]) => {
    const { kind, steps } = kindOf<GraphStep>(node)!;
    return steps.flatMap(({ model }, i) =>
      model === undefined ? [] : [{ model, path: ["nodes", name, kind, i, "model"] }],
    );
  });
}

/**
 * Reads the models of a graph and checks it against them.
 *
 * @throws ConfigurationError for a model that is missing, that is the composition itself, or that a provider answers
 *   for, and for all that `compileGraph` finds
 */
async function compose(found: LoadedGraph, within: readonly string[]): Promise<LoadedManifest> {
  const { id } = found.manifest;
  const chain = [...within, id];
  const models = new Map<string, LoadedManifest>();
  for (const { model, path } of modelSteps(found)) {
    if (models.has(model)) continue;
    const wrong = (problem: string, expected: string, more: Partial<Diagnostic> = {}) =>
      new ConfigurationError({ code: "composition-model", place: placeIn(found, path), problem, expected, ...more });
    if (chain.includes(model))
      throw wrong(`the composition is a part of itself: ${[...chain, model].join(" → ")}`, "models without a way back");
    const places = [folderInside(model), folderBeside(found.manifest, model)];
    const folder = places.find((place) => existsSync(join(found.dir, place, MANIFEST_FILE)));
    if (folder === undefined)
      throw wrong(`there is no model ${model}`, `a ${MANIFEST_FILE} in one of ${places.join(", ")}`, {
        received: "neither",
        example: `models: {${model}: ../${model}}`,
      });
    const loaded = await loadWithin(join(found.dir, folder), chain);
    if (isRemote(loaded))
      throw wrong(
        `a provider answers for ${model}, and the steps of a composition run here`,
        "a model with an artifact, or a composition",
        { received: `backend: ${loaded.manifest.backend}` },
      );
    if (loaded.manifest.id !== model)
      throw wrong(`the folder ${folder} holds another model`, `id: ${model}`, {
        received: `id: ${loaded.manifest.id}`,
      });
    models.set(model, loaded);
    const parts = [...models.values()].reduce((sum, one) => sum + modelsOf(one).length, 0);
    if (parts > MAX_MODELS)
      throw wrong(`the composition has more than ${MAX_MODELS} models, those of its models included`, "fewer models");
  }
  const manifests = new Map([...models].map(([name, loaded]) => [name, loaded.manifest] as const));
  const compiled = compileGraph(found.manifest, manifests);
  if ("issues" in compiled)
    throw failed(
      compiled.issues.map(({ path, message, right }): Diagnostic => ({
        code: "composition",
        place: placeIn(found, path),
        problem: message,
        ...(right?.expected === undefined ? {} : { expected: right.expected }),
        ...(right?.example === undefined ? {} : { example: yamlAt(right.at ?? path, right.example) }),
      })),
    );
  const { manifest: surrogate, preprocess, conditional } = surrogateOf(found.manifest, compiled.graph, manifests);
  const parsed = manifest.safeParse(surrogate);
  if (!parsed.success)
    throw failed(
      explainIssues(parsed.error.issues, surrogate, manifest, manifestExamples).map(({ path, atKey: _, ...rest }) => ({
        ...rest,
        place: placeIn(found, path),
      })),
    );
  return {
    ...found,
    manifest: { ...parsed.data, preprocess, conditional },
    composition: { declared: found.manifest, graph: compiled.graph, models },
  };
}

function failed([first, ...others]: readonly Diagnostic[]): ConfigurationError {
  return new ConfigurationError(others.length === 0 ? first! : { ...first!, others });
}

/** The models that answer for one, itself where none do: those of its graph, and of graphs in it. */
export function modelsOf(loaded: LoadedManifest): LoadedManifest[] {
  return loaded.composition === undefined ? [loaded] : [...loaded.composition.models.values()].flatMap(modelsOf);
}

/** @throws ConfigurationError for a model with a remote backend. */
export function withArtifact(loaded: LoadedManifest | LoadedRemote): LoadedManifest {
  if (!isRemote(loaded)) return loaded;
  const { id, backend, pair } = loaded.manifest;
  throw new ConfigurationError({
    code: "remote-backend",
    place: placeIn(loaded, ["backend"]),
    problem: `the model ${id} has no artifact: a remote provider answers for it`,
    expected: "a model with an `artifact`: only that can be measured, gated and deployed by its own",
    received: `backend: ${backend}`,
    hint: `\`sluice serve ${id}\` serves it${pair === undefined ? "; `pair: {model: ID}` has it deployed together with a local model" : `, and deploying ${pair.model} takes it along`}`,
  });
}

/** "file:line:column path" of a place in the manifest, for problems found after it was read. */
export function placeIn(loaded: Pick<LoadedManifest, "file" | "text">, path: Path): string {
  const at = locate(loaded.text, path);
  return at === null
    ? `${loaded.file} ${fieldPath(path)}`
    : `${loaded.file}:${at.line}:${at.column} ${fieldPath(path)}`;
}
