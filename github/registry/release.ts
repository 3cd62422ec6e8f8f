import { createHash } from "node:crypto";
import { z } from "zod";
import { recordedVerdict, verdictIn, type RecordedVerdict } from "./verdict.ts";

// A version of a model is the annotated tag MODEL@VERSION. Its message has a first line for people, followed by the
// record of the release as JSON.

export function releaseTag(model: string, version: string): string {
  return `${model}@${version}`;
}

/**
 * @param record what is known about the version, as JSON
 * @param commit that it is released from, so that a tag that was moved is noticed
 */
export function releaseMessage(model: string, version: string, record: string, commit: string): string {
  return `${model} ${version}\n\nCommit: ${commit}\n\n${record}`;
}

const releaseRecord = z.looseObject({
  model: z.looseObject({ id: z.string().optional(), version: z.string().optional(), sha256: z.string().nullish() }),
  metrics: z
    .array(
      z.looseObject({
        metric: z.string(),
        slice: z.string().catch("all"),
        value: z.number(),
        interval: z.looseObject({ low: z.number(), high: z.number() }).nullish().catch(null),
      }),
    )
    .catch([]),
  verdict: z.preprocess(verdictIn, recordedVerdict),
  dataset: z.looseObject({ id: z.string(), digest: z.string(), rows: z.int().positive() }).nullish().catch(null),
});

type ReleaseMetric = { metric: string; value: number; interval: { low: number; high: number } | null };

/**
 * `model`, `version`: "" if the record names none. `metrics`: over all rows, without slices. `digest`: of the message.
 */
export type ReleaseRecord = {
  model: string;
  version: string;
  sha256: string | null;
  /** The commit that the version was released from; null if the message does not say. */
  commit: string | null;
  verdict: RecordedVerdict;
  metrics: ReleaseMetric[];
  /** That judged it; null where the record names none. */
  dataset: { id: string; digest: string; rows: number } | null;
  digest: string;
};

/**
 * The record in a release tag's message, which is a JSON object, written by any version of Sluice. Null if there is
 * none.
 */
export function readRelease(message: string): ReleaseRecord | null {
  const from = message.indexOf("{");
  const to = message.lastIndexOf("}");
  if (from < 0 || to < from) return null;
  let value: unknown;
  try {
    value = JSON.parse(message.slice(from, to + 1));
  } catch {
    return null;
  }
  const nested = typeof value === "object" && value !== null && "receipt" in value ? value.receipt : value;
  const parsed = releaseRecord.safeParse(nested);
  if (!parsed.success) return null;
  const { model, metrics, verdict, dataset } = parsed.data;
  return {
    model: model.id ?? "",
    version: model.version ?? "",
    sha256: model.sha256 ?? null,
    commit: /^Commit: ([0-9a-f]{40,64})$/m.exec(message.slice(0, from))?.[1] ?? null,
    verdict,
    dataset: dataset ? { id: dataset.id, digest: dataset.digest, rows: dataset.rows } : null,
    digest: digestOf([message]),
    metrics: metrics
      .filter(({ slice }) => slice === "all")
      .map(({ metric, value: measured, interval }) => ({ metric, value: measured, interval: interval ?? null })),
  };
}

/** sha256 in hex over several texts, with a separator between them. */
export function digestOf(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}
