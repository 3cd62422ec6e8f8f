import { posix } from "node:path";
import { EvaluationError } from "../errors.ts";
import { defaultCacheDir } from "./cache-dir.ts";
import { hubFile, type HubDeps, type HubLocation } from "./hub.ts";
import type { Artifact, ArtifactFile, GraphRole } from "../manifest/manifest.ts";
import { artifactFiles } from "../manifest/artifact-files.ts";
import { localFile, type VerifiedFile } from "./verified-file.ts";

export type VerifiedModel = VerifiedFile & {
  /** External-data files; `path` is the location that the graph names. */
  externalData: { path: string; bytes: Uint8Array; sha256: string }[];
  /** Size of the model with its external data. */
  totalBytes: number;
};

export type ArtifactDeps = HubDeps & {
  /** Size of the largest file that is read; default: 16 GiB. */
  maxBytes?: number;
};

/** No CI machine loads a larger ONNX file. */
const DEFAULT_MAX_BYTES = 16 * 1024 ** 3;

/**
 * Reads an artifact and its external data, either from the manifest's folder or from the Hub (through the cache), and
 * checks every digest.
 *
 * @param dir folder of model.yaml; nothing outside it is read.
 * @throws EvaluationError with one code per cause: artifact-missing, artifact-digest, artifact-truncated,
 *   artifact-lfs-pointer, artifact-outside, artifact-too-large, and the hub-* codes.
 */
export async function fetchArtifact(artifact: ArtifactFile, dir: string, deps: ArtifactDeps): Promise<VerifiedModel> {
  const maxBytes = deps.maxBytes ?? DEFAULT_MAX_BYTES;
  const read = async (path: string | null, sha256: string): Promise<VerifiedFile> => {
    if (artifact.hub === undefined)
      return localFile(
        dir,
        path === null ? artifact.path! : posix.join(posix.dirname(artifact.path!.replaceAll("\\", "/")), path),
        sha256,
        maxBytes,
        deps.cacheDir ?? defaultCacheDir(deps.env),
      );
    const location = parseHubLocation(artifact.hub);
    return hubFile(
      path === null ? location : { ...location, path: beside(location.path, path) },
      sha256,
      maxBytes,
      deps,
    );
  };
  const model = await read(null, artifact.sha256);
  const externalData = [];
  for (const file of artifact.externalData)
    externalData.push({ path: file.path, ...pick(await read(file.path, file.sha256)) });
  return {
    ...model,
    externalData,
    totalBytes: externalData.reduce((sum, file) => sum + file.bytes.length, model.bytes.length),
  };
}

/** The graphs of a model by role, each read and checked as `fetchArtifact` does. */
export async function fetchGraphs(
  artifact: Artifact,
  dir: string,
  deps: ArtifactDeps,
): Promise<{ role: GraphRole | null; model: VerifiedModel }[]> {
  const graphs = [];
  for (const { role, file } of artifactFiles(artifact))
    graphs.push({ role, model: await fetchArtifact(file, dir, deps) });
  return graphs;
}

/**
 * Parses `org/repo@revision/path`. The revision ends at the first slash, so a branch named a/b has to be given by its
 * commit.
 */
export function parseHubLocation(hub: string): HubLocation {
  const at = hub.indexOf("@");
  const slash = hub.indexOf("/", at);
  return { repo: hub.slice(0, at), revision: hub.slice(at + 1, slash), path: hub.slice(slash + 1) };
}

function beside(file: string, path: string): string {
  const joined = posix.join(posix.dirname(file), path);
  if (joined.startsWith("../") || posix.isAbsolute(path))
    throw new EvaluationError({
      code: "artifact-outside",
      place: path,
      problem: "the external-data path leads out of the repository",
      expected: "a path beside the model",
      received: path,
    });
  return joined;
}

const pick = ({ bytes, sha256 }: VerifiedFile) => ({ bytes, sha256 });
