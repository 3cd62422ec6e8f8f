/**
 * "Nothing happened in n trials" does not prove that nothing can happen. This is the largest probability p of an event
 * for which n independent trials without one are still as likely as `alpha`: (1 - p)^n = alpha, p = 1 - alpha^(1/n). It
 * is the exact form of the rule of three (for alpha = 0.05 about 3/n). Used wherever a sample shows no variation at
 * all, instead of an interval of width 0. Hanley and Lippman-Hand, JAMA 249 (1983).
 */
export function unseenProbability(trials: number, alpha: number): number {
  return trials > 0 ? -Math.expm1(Math.log(alpha) / trials) : 1;
}
