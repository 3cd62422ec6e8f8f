import type { Check } from "../../schema/verdict.ts";

type Signed = Pick<Check, "metric" | "signature">;

/** The cut of a metric at k, from its signature; null for other metrics. */
export function cutOf({ metric, signature }: Pick<Signed, "signature"> & { metric: string }): string | null {
  return metric.endsWith("_at_k") ? (/(?:^|\|)k:(\d+)/.exec(signature ?? "")?.[1] ?? null) : null;
}

/** A metric by the name that people use for it at a cut: `ndcg_at_k` at 10 is ndcg@10. */
export function nameAtCut(one: Pick<Signed, "signature"> & { metric: string }): string {
  const cut = cutOf(one);
  return cut === null ? one.metric : `${one.metric.slice(0, -"_at_k".length)}@${cut}`;
}

/** The signature that a report prints beside a figure; null where the name says all of it. */
export function shownSignature({ signature }: Pick<Signed, "signature">): string | null {
  return signature === undefined || /^(k:\d+|cut:no)$/.test(signature) ? null : signature;
}
