/**
 * Alpha spending (Lan and DeMets, Biometrika 70, 1983): how much of the error rate `alpha` may be used up
 * when the fraction `t` (0…1) of the planned rounds has been seen. Nothing at 0, all of it at 1, never falling.
 */
export type Spending = (alpha: number, t: number) => number;

const within = (t: number): number => Math.min(1, Math.max(0, t));

/**
 * Pocock-type: alpha · ln(1 + (e - 1) t), about the same strictness at every look.
 *
 * The one that gates use. A gate's cost is its waiting time and a look costs nothing, so early looks should be able
 * to decide; O'Brien-Fleming spends next to nothing before half of the rounds, which would make every
 * clear case as slow as the doubtful ones.
 */
export const pocockSpending: Spending = (alpha, t) => alpha * Math.log(1 + (Math.E - 1) * within(t));
