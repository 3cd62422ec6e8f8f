import { readFile } from "node:fs/promises";
import type { RepositoryApi } from "../../github/api.ts";
import { matchingRefs, readTagObject } from "../../github/refs.ts";
import { readRelease } from "../../github/registry/release.ts";
import { verdictFile } from "../../eval/schema/verdict.ts";
import { ConfigurationError } from "../../models/core/errors.ts";

/** One candidate that a dataset judged. `sha256`: of its weights. */
export type Judged = { model: string; sha256: string; dataset: { id: string; digest: string; rows: number } };

/** What one dataset has judged. `candidates`: distinct weights. */
export type JudgedBy = { id: string; digest: string; rows: number; candidates: number };

/** The released versions of a model, by the receipts in their tags. */
export async function releasedCandidates(api: RepositoryApi, model: string): Promise<Judged[]> {
  const found: Judged[] = [];
  for (const { sha, type } of await matchingRefs(api, `refs/tags/${model}@`)) {
    if (type !== "tag") continue;
    const release = readRelease((await readTagObject(api, sha)).message);
    if (release === null || release.dataset === null || release.sha256 === null) continue;
    found.push({ model, sha256: release.sha256, dataset: release.dataset });
  }
  return found;
}

/** The candidates of a gate's verdict.json. @throws ConfigurationError where the file is none */
export async function candidatesOfVerdict(file: string): Promise<Judged[]> {
  const refuse = (received: string, cause?: unknown) =>
    new ConfigurationError(
      {
        code: "ops-verdict",
        place: file,
        problem: "not the verdict of a gate",
        expected: "a verdict.json that `sluice gate` wrote",
        received,
        example: "--verdict .sluice/verdict.json",
      },
      { cause },
    );
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw refuse((error as NodeJS.ErrnoException).code ?? "no JSON", error);
  }
  const parsed = verdictFile.safeParse(json);
  if (!parsed.success) throw refuse(`${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`);
  return parsed.data.models.flatMap(({ model, dataset }) =>
    dataset === null || dataset.rows < 1 || model.sha256 === null
      ? []
      : [
          {
            model: model.id,
            sha256: model.sha256,
            dataset: { id: dataset.id, digest: dataset.digest, rows: dataset.rows },
          },
        ],
  );
}

/** Per dataset, how many different candidates it judged. Another digest is another dataset: new rows are not worn. */
export function byDataset(judged: readonly Judged[]): JudgedBy[] {
  const found = new Map<string, { dataset: Judged["dataset"]; candidates: Set<string> }>();
  for (const { sha256, dataset } of judged) {
    const one = found.get(dataset.digest) ?? { dataset, candidates: new Set<string>() };
    one.candidates.add(sha256);
    found.set(dataset.digest, one);
  }
  return [...found.values()].map(({ dataset, candidates }) => ({ ...dataset, candidates: candidates.size }));
}
