import { assignmentFraction } from "../../../models/core/assignment.ts";
import { logSampleRatioEvidence, sampleRatioLimit } from "../../../eval/stats/sequential/sample-ratio.ts";
import type { RolloutPlan } from "../../../models/core/rollout/plan.ts";

export type Arm = "baseline" | "candidate";

/** What is read of a request to know who asks. */
export type Caller = {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Null where it shows none. */
  apiKey: string | null;
};

/** Units that are remembered; later ones are answered as ever, but not counted. */
const MAX_UNITS = 200_000;

/**
 * Who asks, by the plan's key; null where the request names nobody. Then every request is a unit of its own.
 *
 * @param row the first of the request
 */
export function unitOf(
  { header, field, apiKey }: RolloutPlan["settings"]["key"],
  { headers, apiKey: shown }: Caller,
  row: unknown,
): string | null {
  const named = header === undefined ? undefined : headers[header.toLowerCase()];
  if (typeof named === "string" && named !== "") return named.slice(0, 256);
  const given = field === undefined ? undefined : (row as Record<string, unknown> | null)?.[field];
  if ((typeof given === "string" && given !== "") || typeof given === "number") return String(given).slice(0, 256);
  return apiKey ? shown : null;
}

/**
 * Assigns units to arms and counts them: for the sample ratio once in a step, for evidence once in an arm, because a
 * unit's rows resemble each other. Nothing but a hash of a unit is kept.
 */
export function createUnits(salt: string, random: () => number) {
  const inStep = new Set<number>();
  const counted: Record<Arm, Set<number>> = { baseline: new Set(), candidate: new Set() };
  const tally: Record<Arm, number> = { baseline: 0, candidate: 0 };

  return {
    tally,
    /** `place`: in [0, 1); below the share is the candidate's. */
    place: (unit: string | null): { place: number; named: boolean } =>
      unit === null
        ? { place: random(), named: false }
        : { place: assignmentFraction(salt, "rollout", unit), named: true },
    /** Counts an answer of a unit. @returns whether it is the arm's first of this unit, and so is evidence */
    count(arm: Arm, { place, named }: { place: number; named: boolean }): boolean {
      if (!named) {
        tally[arm]++;
        return true;
      }
      if (!inStep.has(place) && inStep.size < MAX_UNITS) {
        inStep.add(place);
        tally[arm]++;
      }
      const seen = counted[arm];
      if (seen.has(place) || seen.size >= MAX_UNITS) return false;
      seen.add(place);
      return true;
    },
    /** The shares have changed. */
    nextStep(): void {
      inStep.clear();
      tally.baseline = 0;
      tally.candidate = 0;
    },
    /** log10 of the evidence that units do not follow the share. */
    mismatch(share: number): number {
      return share === 0
        ? 0
        : logSampleRatioEvidence([tally.candidate, tally.baseline], [share, 1 - share]) / Math.LN10;
    },
  };
}

export const mismatchLimit = Math.log10(sampleRatioLimit);
