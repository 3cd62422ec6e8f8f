import { createHash } from "node:crypto";

/**
 * Where a unit stands in a test: SHA-256 of "salt:test:unit" as a fraction in [0, 1), uniform over units and independent
 * between tests. Its first 52 bits are used.
 *
 * @param unit who is assigned: a user or a session, the same at every request, and the unit of the analysis
 */
export function assignmentFraction(salt: string, test: string, unit: string): number {
  const digest = createHash("sha256").update(`${salt}:${test}:${unit}`).digest();
  return (digest.readUInt32BE(0) * 2 ** 20 + (digest.readUInt32BE(4) >>> 12)) / 2 ** 52;
}

/**
 * Whether a unit gets the candidate. Sticky: as the share grows, units only ever join the candidate, because their
 * fraction stays.
 *
 * @param share of units, in [0, 1]
 */
export function assignedToCandidate(salt: string, test: string, unit: string, share: number): boolean {
  return assignmentFraction(salt, test, unit) < share;
}

/**
 * The arm of a unit, by the arms' shares in order. Units keep their arm as long as the shares before it and its own only
 * grow outwards; with two arms (candidate, baseline) it is `assignedToCandidate`.
 *
 * @param shares add up to 1
 * @returns index of the arm
 * @throws RangeError where shares are not
 */
export function assignedArm(salt: string, test: string, unit: string, shares: readonly number[]): number {
  const sum = shares.reduce((all, one) => all + one, 0);
  if (!shares.every((share) => share >= 0) || Math.abs(sum - 1) > 1e-9)
    throw new RangeError(`shares from 0 that add up to 1 are expected, got ${shares.join(", ")}`);
  const fraction = assignmentFraction(salt, test, unit);
  let upTo = 0;
  const arm = shares.findIndex((share) => fraction < (upTo += share));
  // Shares may add up to a little less than 1; what lies beyond belongs to the last arm that has any.
  return arm === -1 ? shares.findLastIndex((share) => share > 0) : arm;
}
