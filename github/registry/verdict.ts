import { z } from "zod";

/** The word of a verdict in a record. An unknown word, from another version, counts as none. */
export const recordedVerdict = z.enum(["PASS", "FAIL", "INCONCLUSIVE", "INCOMPARABLE", "ERROR"]).nullable().catch(null);
export type RecordedVerdict = z.infer<typeof recordedVerdict>;

/** A record holds the word itself, or an object that contains it. */
export function verdictIn(value: unknown): unknown {
  return typeof value === "object" && value !== null && "verdict" in value ? value.verdict : value;
}
