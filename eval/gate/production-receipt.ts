import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EvaluationError } from "../../models/core/errors.ts";
import { artifactDigest } from "../../models/core/manifest/artifact-files.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import { rulesIdentity } from "../../models/core/rules/identity.ts";
import type { ModelMetrics } from "../schema/metrics.ts";
import { productionReceiptFile, type ProductionReceipt } from "../schema/production-receipt.ts";
import type { ModelVerdict } from "../schema/verdict.ts";

/**
 * The receipt beside a production version; null when there is none.
 * @throws EvaluationError when the receipt cannot be read
 */
export async function readProductionReceipt(dir: string): Promise<ProductionReceipt | null> {
  const path = join(dir, "receipt.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new EvaluationError(
      {
        code: "receipt-unreadable",
        problem: "the receipt is not JSON",
        place: path,
        expected: "a receipt.json as schemas/receipt.schema.json says",
        received: (error as Error).message,
      },
      { cause: error },
    );
  }
  const result = productionReceiptFile.safeParse(parsed);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new EvaluationError({
      code: "receipt-unreadable",
      problem: "the receipt does not fit its schema",
      place: `${path} ${issue?.path.join(".")}`,
      expected: "a receipt.json as schemas/receipt.schema.json says",
      received: issue?.message ?? "",
    });
  }
  return result.data;
}

/**
 * Why a baseline must not be compared although it can answer: its receipt is for other weights or rules. Null when it may be.
 */
export function receiptMismatch(
  receipt: ProductionReceipt | null,
  { artifact, rules }: Pick<Manifest, "artifact" | "rules">,
): string | null {
  const sha256 = artifactDigest(artifact);
  if (receipt === null) return null;
  if (receipt.model.sha256 === sha256) {
    const [then, now] = [receipt.model.rules?.sha256, rulesIdentity({ rules }).rules?.sha256];
    return then === now
      ? null
      : `the production version's receipt is for ${then === undefined ? "no rules" : `the rules ${then.slice(0, 12)}…`}, and it has ${now === undefined ? "none" : `${now.slice(0, 12)}…`}: nobody let these rules through`;
  }
  return `the production version's receipt is for ${receipt.model.sha256.slice(0, 12)}…, its weights are ${sha256.slice(0, 12)}…: nobody let these weights through`;
}

/**
 * A figure on the receipt may differ from the same figure now by this much, relative to 1 + its size, without a note.
 */
const repeatable = 1e-6;

/**
 * A note for the reader when the same weights on the same rows no longer give the receipt's figures, because of another
 * processor or runtime. Null when they agree, or when the receipt is for another dataset.
 */
export function receiptDrift(receipt: ProductionReceipt | null, now: ModelMetrics): string | null {
  if (receipt === null || receipt.dataset.digest !== now.dataset.digest) return null;
  for (const then of receipt.metrics) {
    const same = now.measurements.find(
      (one) =>
        one.metric === then.metric &&
        one.head === then.head &&
        one.slice === then.slice &&
        Object.keys(one.options).length === 0,
    );
    if (
      same?.result.status === "ok" &&
      Math.abs(same.result.value - then.value) > repeatable * (1 + Math.abs(then.value))
    ) {
      return `The baseline's receipt says ${then.metric} ${then.value} on these rows; here it is ${same.result.value}. The same weights answer differently on this processor or runtime (${now.runner?.onnxruntime ?? "unknown"}, the receipt's was ${receipt.onnxruntime}).`;
    }
  }
  return null;
}

/** The receipt of a model that was measured and judged. */
export function productionReceiptOf(
  verdict: ModelVerdict,
  metrics: ModelMetrics,
  sluiceVersion: string,
): ProductionReceipt {
  const { id, digest, rows } = metrics.dataset;
  return {
    schemaVersion: 1,
    model: verdict.model,
    dataset: { id, digest, rows },
    // A receipt has no place for options: figures under other ones would look like the same figure.
    metrics: metrics.measurements.flatMap(({ metric, options, head, slice, result }) =>
      result.status === "ok" && Object.keys(options).length === 0
        ? [{ metric, head, slice, value: result.value, interval: result.interval, n: result.n }]
        : [],
    ),
    ...(verdict.profile === undefined ? {} : { profile: { sha256: verdict.profile.sha256 } }),
    verdict: verdict.verdict,
    reason: verdict.reason,
    sluiceVersion,
    onnxruntime: metrics.runner?.onnxruntime ?? "unknown",
  };
}
