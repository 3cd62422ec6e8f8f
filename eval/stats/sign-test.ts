import { incompleteBeta } from "./beta.ts";

/**
 * One-sided exact sign test: P(X ≥ losses) for X binomial with `gains + losses` trials of probability ½. Of paired
 * yes/no outcomes it is McNemar's exact test (Q. McNemar, Psychometrika 12, 1947), valid however few rows are
 * discordant. 1 where none is lost.
 */
export function signTest(gains: number, losses: number): number {
  return losses === 0 ? 1 : incompleteBeta(losses, gains + 1, 0.5);
}
