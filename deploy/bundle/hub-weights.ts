import { createHash } from "node:crypto";
import { posix } from "node:path";
import { parseDocument } from "yaml";
import { artifactFiles } from "../../models/core/manifest/artifact-files.ts";
import { parseManifest } from "../../models/core/predictor/load.ts";
import { DEPLOYED_FILE } from "./deployed.ts";
import { deployedFile, treeFile, type Tree, type TreeFile } from "./tree.ts";

/** The weights of a tree that are too large for the Space, and their place in a model repository. */
export type LargeWeights = {
  /** The tree's files under the names that they get in the model repository; the ONNX file first. */
  files: TreeFile[];
  /** The paths of the same files in the tree. */
  paths: string[];
  bytes: number;
};

const manifestPath = (tree: Tree) => `models/${tree.deployed.model.id}/model.yaml`;

/**
 * The weights of a tree if together they are larger than a Space should hold; null if they stay in the Space or are on
 * the Hub already. Their folder in the model repository is named after their content. So nothing there is ever
 * overwritten, and the same weights are always in the same place. The weights of a composition's models stay in the
 * Space. Pure.
 */
export function largeWeights(tree: Tree, maxBytes: number): LargeWeights | null {
  const path = manifestPath(tree);
  const manifest = tree.files.find((one) => one.path === path);
  if (manifest === undefined) return null;
  const text = Buffer.from(manifest.bytes).toString("utf8");
  if ((parseDocument(text).toJS() as { backend?: unknown }).backend === "graph") return null;
  const {
    manifest: { id, artifact },
  } = parseManifest(text, posix.dirname(path), path);
  const graphs = artifactFiles(artifact);
  if (graphs.some(({ file }) => file.path === undefined)) return null;
  const named = graphs.flatMap(({ role, file }) => {
    const [folder, beside] = [role ?? "", posix.dirname(file.path!)];
    return [{ path: posix.basename(file.path!), sha256: file.sha256 }, ...file.externalData].map((one) => ({
      name: posix.join(folder, one.path),
      sha256: one.sha256,
      at: posix.join(posix.dirname(path), beside, one.path),
    }));
  });
  const digest = createHash("sha256")
    .update(
      named
        .map(({ name, sha256 }) => `${sha256}  ${name}\n`)
        .sort()
        .join(""),
    )
    .digest("hex");
  const found = named.flatMap(({ name, at }) =>
    tree.files.filter((one) => one.path === at).map((file) => ({ file, name })),
  );
  const bytes = found.reduce((sum, { file }) => sum + file.size, 0);
  if (bytes <= maxBytes || found.length !== named.length) return null;
  return {
    bytes,
    paths: found.map(({ file }) => file.path),
    files: found.map(({ file, name }) => ({ ...file, path: `${id}/${digest.slice(0, 16)}/${name}` })),
  };
}

/**
 * The tree of a Space whose weights are in a model repository. Its model.yaml refers to them there, pinned by revision,
 * with unchanged digests. Equal arguments give equal bytes, for staging and for production. Pure.
 *
 * @param revision commit of the model repository
 */
export function withHubWeights(tree: Tree, weights: LargeWeights, repository: string, revision: string): Tree {
  const path = manifestPath(tree);
  const placeOf = (file: TreeFile) => `${repository}@${revision}/${file.path}`;
  const hub = placeOf(weights.files[0]!);
  const hubOf = (local: string) =>
    placeOf(weights.files[weights.paths.indexOf(posix.join(posix.dirname(path), local))]!);
  const rest = tree.files.filter((one) => !weights.paths.includes(one.path) && one.path !== DEPLOYED_FILE);
  const files = rest.map((one) =>
    one.path === path ? treeFile(path, Buffer.from(pointAt(hubOf, Buffer.from(one.bytes).toString("utf8")))) : one,
  );
  const { files: _files, ...known } = tree.deployed;
  const deployed = {
    ...known,
    weights: { hub, bytes: weights.bytes },
    files: Object.fromEntries(files.map((one) => [one.path, one.sha256])),
  };
  return { ...tree, files: [...files, deployedFile(deployed)], deployed };
}

function pointAt(hubOf: (path: string) => string, manifest: string): string {
  const document = parseDocument(manifest);
  for (const { at, file } of artifactFiles(parseManifest(manifest, "", "model.yaml").manifest.artifact)) {
    document.deleteIn([...at, "path"]);
    document.setIn([...at, "hub"], hubOf(file.path!));
  }
  return document.toString({ lineWidth: 0 });
}
