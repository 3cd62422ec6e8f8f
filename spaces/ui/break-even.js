/**
 * A machine costs the same whether it is asked or not, a provider costs by the answer: from how many answers an hour is
 * the machine the cheaper one?
 * @typedef {{ answersPerHour: number | null, maxPerHour: number | null, why: string }} BreakEven
 *   answersPerHour: where both cost the same, 0 when the machine is never the dearer one, null when it never gets cheaper or nothing
 *   is known; maxPerHour: what one such machine can give, one answer after the other; why: in words what is missing, "" for nothing
 */

/**
 * @param {{ perHour: number | null, currency: string, medianMs: number | null }} machine what it costs in an hour, and
 * how long one answer takes it
 * @param {{ perAnswer: number | null, currency: string }} provider what one answer costs
 * @returns {BreakEven}
 */
export function breakEven(machine, provider) {
  const maxPerHour = machine.medianMs === null || machine.medianMs <= 0 ? null : 3_600_000 / machine.medianMs;
  const unknown = (/** @type {string} */ why) => ({ answersPerHour: null, maxPerHour, why });
  if (machine.perHour === null) return unknown("the price of the machine");
  if (provider.perAnswer === null) return unknown("the price of a remote answer");
  if (machine.currency !== provider.currency) return unknown("prices in one currency");
  if (machine.perHour === 0) return { answersPerHour: 0, maxPerHour, why: "" };
  if (provider.perAnswer === 0) return { answersPerHour: null, maxPerHour, why: "" };
  return { answersPerHour: machine.perHour / provider.perAnswer, maxPerHour, why: "" };
}

/**
 * Cost per hour of both at evenly spaced numbers of answers an hour, from none to twice the break-even point.
 * @param {number} perHour of the machine @param {number} perAnswer of the provider @param {number} answersPerHour the
 * break-even point, above 0
 * @param {number} [steps]
 * @returns {{ machine: number[], provider: number[], maxAnswers: number }}
 */
export function costLines(perHour, perAnswer, answersPerHour, steps = 20) {
  const maxAnswers = 2 * answersPerHour;
  const answers = Array.from({ length: steps + 1 }, (_, i) => (i / steps) * maxAnswers);
  return { machine: answers.map(() => perHour), provider: answers.map((n) => n * perAnswer), maxAnswers };
}
