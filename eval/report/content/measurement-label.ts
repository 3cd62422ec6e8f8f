import type { Measurement } from "../../schema/metrics.ts";
import { cutOf, nameAtCut } from "./signature.ts";

/** A metric's name with its options and head: `tpr_at_fpr(at=0.01)@mood`, `ndcg@10(gain=exponential)`. */
export function measurementLabel(one: Pick<Measurement, "metric" | "options" | "head" | "signature">): string {
  const given = Object.entries(one.options)
    .filter(([key, value]) => value !== undefined && !(key === "k" && cutOf(one) !== null))
    .map(([key, value]) => `${key}=${value}`);
  return `${nameAtCut(one)}${given.length === 0 ? "" : `(${given.join(",")})`}${one.head === null ? "" : `@${one.head}`}`;
}
