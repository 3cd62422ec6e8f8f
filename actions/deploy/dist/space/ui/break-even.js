/**
 * A machine costs the same whether it is used or not; a provider charges per answer. From how many answers an hour is
 * the machine cheaper?
 *
 * `answersPerHour`: where both cost the same; 0 when the machine is never dearer; null when it never gets cheaper or
 * nothing is known. `maxPerHour`: how many answers one such machine can give, one after the other. `why`: what is
 * missing, "" for nothing.
 * @typedef {{ answersPerHour: number | null, maxPerHour: number | null, why: string }} BreakEven
 */

/**
 * @param {{ perHour: number | null, currency: string, medianMs: number | null }} machine its cost per hour, and its
 *   time per answer
 * @param {{ perAnswer: number | null, currency: string }} provider its cost per answer
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
 * @param {number} perHour of the machine
 * @param {number} perAnswer of the provider
 * @param {number} answersPerHour the break-even point, above 0
 * @param {number} [steps]
 * @returns {{ machine: number[], provider: number[], maxAnswers: number }}
 */
export function costLines(perHour, perAnswer, answersPerHour, steps = 20) {
  const maxAnswers = 2 * answersPerHour;
  const answers = Array.from({ length: steps + 1 }, (_, i) => (i / steps) * maxAnswers);
  return { machine: answers.map(() => perHour), provider: answers.map((n) => n * perAnswer), maxAnswers };
}
