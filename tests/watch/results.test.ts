import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { contenders } from "../../bench/watch/rules.ts";

/** Cells of the rows of all tables of a results page. */
const rowsOf = (page: string) =>
  readFileSync(join(import.meta.dirname, "../../bench/results", page), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
    .map((line) => line.slice(2, -2).split(" | "));

describe("the committed results", () => {
  it("of a watch have at most one false alarm a year in every setting, where Sluice looks at seven days", () => {
    const rows = rowsOf("watch-alarms.md");
    const head = rows.findIndex((row) => row.length === 3 + contenders.length);
    expect(rows[head]?.slice(3)).toEqual(contenders.map(({ name }) => name));
    const alarms = rows.slice(head + 1, head + 41);
    expect(new Set(alarms.map((row) => row.slice(0, 3).join())).size).toBe(40);
    for (const row of alarms) expect(Number(row[3]), row.join()).toBeLessThanOrEqual(1);
  });

  it("of roll-outs promote and end at most alpha of 2,000 candidates on their margin, with its Monte-Carlo error", () => {
    const boundary = rowsOf("rollouts.md").filter((row) => row[1] === "-0.02");
    expect(boundary).toHaveLength(4);
    for (const [design, , promoted, ended] of boundary) {
      expect(Number(promoted), design).toBeLessThan(6);
      expect(Number(ended), design).toBeLessThan(6);
    }
  });
});
