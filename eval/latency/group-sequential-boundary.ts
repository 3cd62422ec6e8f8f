import { findRoot } from "../stats/rootfind.ts";
import { normalCdf } from "../stats/normal.ts";

/**
 * Alpha spending (Lan and DeMets, Biometrika 70, 1983): how much of the error rate `alpha` may be used up once the
 * fraction `t` (0…1) of the planned rounds has been seen. It is 0 at 0 and `alpha` at 1, and never falls.
 */
type Spending = (alpha: number, t: number) => number;

/**
 * Pocock-type: alpha · ln(1 + (e - 1) t), about equally strict at every look.
 *
 * Gates use this one. A gate's cost is its waiting time and a look costs nothing, so early looks should be able to
 * decide. O'Brien-Fleming spends almost nothing in the first half of the rounds, which would make every clear case as
 * slow as the doubtful ones.
 */
export const pocockSpending: Spending = (alpha, t) => alpha * Math.log(1 + (Math.E - 1) * Math.min(1, Math.max(0, t)));

/** Number of grid points on which the density of paths that have not stopped is kept. */
const GRID = 401;
/**
 * Number of standard deviations that the grid reaches below zero. Paths further down can no longer reach an upper
 * boundary.
 */
const DEPTH = 8;

/**
 * The one-sided significance level at which each look may stop, such that the probability that any look stops under the
 * null hypothesis is at most `alpha`: nominal[k] = P(Z > z_k), with z_k the Lan-DeMets boundary.
 *
 * The statistic at information fraction t is a Brownian path at t, divided by sqrt(t). Uses the recursion of Armitage,
 * McPherson and Rowe (JRSS A 132, 1969) over the density of surviving paths; agrees with R's ldbounds and gsDesign to
 * about 1e-3 in z. A boundary on the other side is ignored, so a stop there only makes the test more conservative
 * (non-binding).
 *
 * @param fractions increasing, in (0, 1]
 */
export function nominalLevels(fractions: readonly number[], alpha: number, spending: Spending): number[] {
  const levels: number[] = [];
  let grid: Float64Array = Float64Array.of(0);
  let mass: Float64Array = Float64Array.of(1);
  let before = 0;
  let spent = 0;
  for (const t of fractions) {
    const step = Math.sqrt(t - before);
    const allowed = spending(alpha, t) - spent;
    const crossing = (bound: number): number => {
      let sum = 0;
      for (let i = 0; i < grid.length; i++)
        sum += (mass[i] as number) * normalCdf(((grid[i] as number) - bound) / step);
      return sum;
    };
    const top = DEPTH * Math.sqrt(t);
    const bound = allowed < 1e-14 ? top : findRoot((x) => crossing(x) - allowed, -top, top, 1e-10);
    levels.push(normalCdf(-bound / Math.sqrt(t)));
    [grid, mass] = surviving(grid, mass, step, -top, bound);
    before = t;
    spent += allowed;
  }
  return levels;
}

/** Moves the density one step on and cuts it at `bound`. Simpson's weights are folded into the mass. */
function surviving(
  grid: Float64Array,
  mass: Float64Array,
  step: number,
  low: number,
  bound: number,
): [Float64Array, Float64Array] {
  const width = (bound - low) / (GRID - 1);
  const scale = width / 3 / (step * Math.sqrt(2 * Math.PI));
  const nextGrid = new Float64Array(GRID);
  const nextMass = new Float64Array(GRID);
  for (let j = 0; j < GRID; j++) {
    const x = low + j * width;
    let density = 0;
    for (let i = 0; i < grid.length; i++) {
      const z = (x - (grid[i] as number)) / step;
      density += (mass[i] as number) * Math.exp(-0.5 * z * z);
    }
    nextGrid[j] = x;
    nextMass[j] = density * scale * (j === 0 || j === GRID - 1 ? 1 : j % 2 === 1 ? 4 : 2);
  }
  return [nextGrid, nextMass];
}
