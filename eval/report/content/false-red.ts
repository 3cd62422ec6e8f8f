import type { Check, FalseRed, ModelVerdict } from "../../schema/verdict.ts";
import { counted } from "../text/format.ts";

/** Which candidate the false-red rate of a gate is about. */
export function honestCandidate({ baseline }: Pick<ModelVerdict, "baseline">): string {
  return baseline === null
    ? "a candidate whose true values are those that were measured here"
    : "a candidate that answers as differently as this one and is truly no worse";
}

/**
 * The false-red rate that an honest team should expect of this gate, in one sentence without a final stop; null when it
 * is unknown.
 */
export function falseRedSentence(
  {
    expectedFalseRed,
    checks,
  }: Pick<ModelVerdict, "expectedFalseRed"> & { checks: readonly Pick<Check, "id" | "metric" | "slice">[] },
  candidate = "a candidate that answers as differently as this one and is truly no worse",
): string | null {
  if (expectedFalseRed === undefined) return null;
  const { atMost, ifIndependent, worst, counted: n } = expectedFalseRed;
  const first = checks.find((check) => check.id === worst.id);
  const name =
    first === undefined ? worst.id : first.slice === "all" ? first.metric : `${first.metric} on ${first.slice}`;
  const most = n > 1 && worst.rate >= 0.001 ? `; most of it from ${name} (${share(worst.rate)})` : "";
  return `Expected false-red rate: ${candidate} would not pass ${share(ifIndependent)} of the time, ${share(atMost)} at most${most}, over ${counted(n, "check")}${leftOut(expectedFalseRed)}`;
}

function leftOut({ left }: FalseRed): string {
  return left === 0 ? "" : ` (${counted(left, "other")} cannot be estimated)`;
}

function share(rate: number): string {
  return rate < 0.001 ? "< 0.1 %" : `${(100 * rate).toFixed(rate < 0.1 ? 1 : 0)} %`;
}
