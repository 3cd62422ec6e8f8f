import { isDeepStrictEqual } from "node:util";
import { parseDocument } from "yaml";
import { ConfigurationError } from "../../models/core/errors.ts";
import { gates as gatesSchema, type Gates } from "../../models/core/manifest/gates.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { policyChanges, type PolicyChange } from "../judge/policy-changes.ts";
import { changedSince, readAtReference, type Reference } from "./baseline.ts";
import type { Git } from "./git.ts";

export type Policy = { gates: Gates; source: string; changes: PolicyChange[] };

/**
 * The thresholds that count. A candidate is judged by the gates of the base branch, so that no pull request can loosen
 * its own gate unnoticed; what it changes is listed. A model without gates on the base branch is judged by its own.
 *
 * @throws ConfigurationError when there are no gates at all, or those of the base branch cannot be read
 */
export async function resolvePolicy(
  loaded: LoadedManifest,
  reference: Reference,
  root: string,
  git: Git,
): Promise<Policy> {
  const own = loaded.manifest.gates;
  const text = await readAtReference(reference, loaded.file, root, git);
  const base = text === null ? null : gatesOf(text, reference, loaded.file);
  if (base === null) {
    if (own === undefined)
      throw new ConfigurationError({
        code: "no-gates",
        problem: "the model has no gates",
        place: loaded.file,
        expected: "gates: with at least one check",
        received: "none",
        example: "gates:\n  checks:\n    - {kind: limit, metric: accuracy, min: 0.8}",
      });
    return {
      gates: own,
      source:
        reference.kind === "commit"
          ? `${loaded.manifest.id}'s own model.yaml: it has no gates at ${reference.label}`
          : "the candidate's model.yaml",
      changes: [],
    };
  }
  const changes = policyChanges(base.gates, own ?? null);
  if (reference.kind === "commit")
    changes.push(...(await datasetChanges(base.dataset, loaded, reference.commit, root, git)));
  return { gates: base.gates, source: `model.yaml at ${(reference as { label: string }).label}`, changes };
}

function gatesOf(text: string, reference: Reference, file: string): { gates: Gates; dataset: unknown } | null {
  const plain = parseDocument(text).toJS() as Record<string, unknown> | null;
  if (plain === null || typeof plain !== "object" || plain["gates"] === undefined) return null;
  const parsed = gatesSchema.safeParse(plain["gates"]);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigurationError({
      code: "base-gates",
      problem: "the gates on the base branch cannot be read",
      place: `${file} at ${(reference as { label: string }).label}`,
      expected: "gates that this version of sluice understands",
      received: `${issue?.path.join(".")}: ${issue?.message}`,
      hint: "mend the gates on the base branch first; they decide, not the candidate's",
    });
  }
  return { gates: parsed.data, dataset: plain["dataset"] };
}

/** The evaluation data is not a threshold, and the candidate's data counts. But a change to it must be visible. */
async function datasetChanges(
  base: unknown,
  loaded: LoadedManifest,
  commit: string,
  root: string,
  git: Git,
): Promise<PolicyChange[]> {
  const own = (parseDocument(loaded.text).toJS() as Record<string, unknown>)["dataset"];
  const declared = isDeepStrictEqual(base, own) ? [] : policyChanges(base ?? null, own ?? null, "dataset");
  const files = (loaded.manifest.dataset?.files ?? []).filter((file) => file.npm === undefined);
  const changed = await Promise.all(
    files.map(async (file): Promise<PolicyChange[]> => {
      const paths = await changedSince(commit, `${loaded.dir}/${file.path}`, root, git);
      return paths.map((path) => ({
        path: `dataset file ${path}`,
        base: `as at ${commit.slice(0, 7)}`,
        candidate: "changed",
      }));
    }),
  );
  return [...declared, ...changed.flat()];
}
