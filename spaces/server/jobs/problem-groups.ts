import type { ProblemGroup } from "./job.ts";
import type { RowProblem } from "./models.ts";

const MAX_GROUPS = 20;
const MAX_FIRST = 5;
const MAX_CHARACTERS = 300;

/**
 * Adds problems of rows to their groups. Rows with the same code and words are one group. Beyond twenty groups, the
 * rest share one.
 */
export function addProblems(
  groups: readonly ProblemGroup[],
  problems: readonly (Omit<RowProblem, "index" | "status"> & { row: number })[],
): ProblemGroup[] {
  const all = groups.map((group) => ({ ...group, first: [...group.first] }));
  for (const { row, code, detail } of problems) {
    const problem = detail.slice(0, MAX_CHARACTERS);
    let group = all.find((one) => one.code === code && one.problem === problem);
    if (group === undefined && all.length >= MAX_GROUPS) group = all.find((one) => one.code === OTHERS.code);
    if (group === undefined) {
      group = { ...(all.length >= MAX_GROUPS ? OTHERS : { code, problem }), rows: 0, first: [] };
      all.push(group);
    }
    group.rows += 1;
    if (group.first.length < MAX_FIRST) group.first.push(row);
  }
  return all;
}

const OTHERS = { code: "others", problem: "further kinds of problems; the result has each" };
