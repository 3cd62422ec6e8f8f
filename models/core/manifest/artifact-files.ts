import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Artifact, ArtifactFile, GraphRole } from "./manifest.ts";

/** One graph of a model with its external data; `role` is null for the first, `at` is its place in model.yaml. */
type GraphFile = { role: GraphRole | null; at: string[]; file: ArtifactFile };

/** The graphs of a model, the first one first. */
export function artifactFiles(artifact: Artifact): GraphFile[] {
  return [
    { role: null, at: ["artifact"], file: artifact },
    ...(["decoder", "decoder_with_past"] as const).flatMap((role) => {
      const file = artifact.graphs?.[role];
      return file === undefined ? [] : [{ role, at: ["artifact", "graphs", role], file }];
    }),
  ];
}

/**
 * What identifies the weights of a model: the SHA-256 of its one file, or of the lines `SHA256  ROLE` of its several
 * graphs (`main` for the first), in the order of `artifactFiles`. External data is not among them.
 */
export function artifactDigest(artifact: Pick<Artifact, "sha256"> & { graphs?: Digests | undefined }): string {
  const further = (["decoder", "decoder_with_past"] as const).flatMap((role) => {
    const file = artifact.graphs?.[role];
    return file === undefined ? [] : [`${file.sha256}  ${role}\n`];
  });
  if (further.length === 0) return artifact.sha256;
  return createHash("sha256")
    .update([`${artifact.sha256}  main\n`, ...further].join(""))
    .digest("hex");
}

type Digests = Partial<Record<GraphRole, { sha256: string } | undefined>>;

/** The files of a model's folder that hold its weights, with the digests that model.yaml states. */
export function weightFiles(artifact: Artifact): { path: string; sha256: string; at: (string | number)[] }[] {
  return artifactFiles(artifact).flatMap(({ at, file: { path, sha256, externalData } }) =>
    path === undefined
      ? []
      : [
          { path, sha256, at },
          ...externalData.map((data, i) => ({
            path: posix.join(posix.dirname(path), data.path),
            sha256: data.sha256,
            at: [...at, "externalData", i],
          })),
        ],
  );
}
