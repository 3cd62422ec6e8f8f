import type { RefusalKind } from "../../../models/profile/live.ts";

/** The words of the schema's and the preprocessing's problems → what the watch counts them as. */
export function refusalKind(problem: string): RefusalKind {
  if (/missing/.test(problem)) return "missing";
  if (/out of range|another length|too short/.test(problem)) return "outside";
  if (/unknown (category|value)/.test(problem)) return "unseen";
  return /too (long|large|many)/.test(problem) ? "tooLong" : "other";
}
