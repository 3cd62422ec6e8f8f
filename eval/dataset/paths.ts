import type { Dataset } from "../../models/core/manifest/manifest.ts";

/** The files and folders of the repository that a dataset is read from, as the manifest writes them. */
export function datasetPaths({ files, features }: Pick<Dataset, "files" | "features">): string[] {
  return [
    ...files.filter((file) => file.npm === undefined).map(({ path }) => path),
    ...files.flatMap(({ contents }) => Object.values(contents).map(({ folder }) => folder)),
    ...Object.values(features).map(({ path }) => path),
  ];
}
