import { createHash } from "node:crypto";
import { z } from "zod";
import { verdictWord, type VerdictWord } from "../../eval/schema/verdict.ts";

// The one place that knows how deployments and receipts are written. Tolerant: a record of an older or newer deploy
// action shows what can be read of it.

const looseVerdict = z
  .union([verdictWord, z.looseObject({ verdict: verdictWord }).transform(({ verdict }) => verdict)])
  .nullable()
  .catch(null);
const text = z.string().optional().catch(undefined);

const payload = z
  .looseObject({
    model: z.string(),
    version: z.string(),
    sha256: text,
    verdict: looseVerdict.optional(),
    verdictSha256: text,
  })
  // The deploy action lets nothing but PASS through, and writes the verdict file's digest instead of the word.
  .transform(({ model, version, sha256, verdict, verdictSha256 }) => ({
    model,
    version,
    sha256: sha256 ?? null,
    verdict: verdict ?? (verdictSha256 ? ("PASS" as const) : null),
  }));
export type DeploymentPayload = { model: string; version: string; sha256: string | null; verdict: VerdictWord | null };

/**
 * What a Deployment's payload says, given as an object or as JSON text; null for a Deployment that is not of a model.
 */
export function readPayload(given: unknown): DeploymentPayload | null {
  let value = given;
  if (typeof value === "string") {
    try {
      value = JSON.parse(value) as unknown;
    } catch {
      return null;
    }
  }
  // The deploy action nests them: model: {id, version, sha256}.
  if (
    typeof value === "object" &&
    value !== null &&
    "model" in value &&
    typeof value.model === "object" &&
    value.model !== null
  )
    value = { ...value.model, ...value, model: (value.model as { id?: unknown }).id };
  const parsed = payload.safeParse(value);
  return parsed.success ? parsed.data : null;
}

const receipt = z.looseObject({
  model: z.looseObject({ id: z.string(), version: z.string(), sha256: z.string().nullish() }),
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
  verdict: looseVerdict,
});
export type ReceiptMetric = { metric: string; value: number; interval: { low: number; high: number } | null };
export type ReceiptRecord = {
  model: string;
  version: string;
  sha256: string | null;
  verdict: VerdictWord | null;
  metrics: ReceiptMetric[];
  digest: string;
};

/** The receipt in the message of the tag MODEL@VERSION: the first JSON object in it. Null when there is none. */
export function readReceipt(message: string): ReceiptRecord | null {
  const from = message.indexOf("{");
  const to = message.lastIndexOf("}");
  if (from < 0 || to < from) return null;
  try {
    const value = JSON.parse(message.slice(from, to + 1)) as unknown;
    const parsed = receipt.safeParse(
      typeof value === "object" && value !== null && "receipt" in value ? value.receipt : value,
    );
    if (!parsed.success) return null;
    const { model, metrics, verdict } = parsed.data;
    return {
      model: model.id,
      version: model.version,
      sha256: model.sha256 ?? null,
      verdict,
      digest: digestOf([message]),
      metrics: metrics
        .filter(({ slice }) => slice === "all")
        .map(({ metric, value, interval }) => ({ metric, value, interval: interval ?? null })),
    };
  } catch {
    return null;
  }
}

/** sha256 in hex over texts, each apart from the next. */
export function digestOf(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}

const lock = z.looseObject({
  holder: z.string(),
  reason: z.string(),
  at: z.string(),
  run: z.looseObject({ id: z.string(), attempt: z.int(), url: z.string() }).nullable().catch(null),
  request: z.string().optional(),
});
export type LockRecord = { holder: string; reason: string; at: string; run: string | null; request: string | null };

/** The note of a lock, as the deploy action and this bot write it. */
export function readLock(message: string): LockRecord {
  try {
    const { holder, reason, at, run, request } = lock.parse(JSON.parse(message));
    return { holder, reason, at, run: run?.url ?? null, request: request ?? null };
  } catch {
    return {
      holder: "somebody",
      reason: message.trim().slice(0, 200) || "no reason given",
      at: "",
      run: null,
      request: null,
    };
  }
}

/** A lock's note, which the deploy action reads. */
export function writeLock({ holder, reason, at, request }: Omit<LockRecord, "run">): string {
  return JSON.stringify({ schemaVersion: 1, holder, reason, at, run: null, request });
}
