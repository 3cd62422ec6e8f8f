import { describe, expect, it } from "vitest";
import { assignRoles, redraw } from "../../../eval/power/self-comparison.ts";
import { predictions } from "../report/builders.ts";

const n = 600;
const labels = Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 1 : 0));
const slices = { source: Array.from({ length: n }, (_, i) => (i % 10 === 0 ? "rare" : "common")) };
const candidate = predictions(
  labels,
  labels.map((_, i) => i),
  { slices },
);
const baseline = predictions(
  labels,
  labels.map((_, i) => -i),
  { slices },
);

describe("a comparison without a true difference", () => {
  it("keeps the dataset's composition: the same number of rows of each slice and class", () => {
    const { rows } = redraw(candidate, 1, 0);
    const count = (of: Iterable<number>) =>
      [...of].reduce<Record<string, number>>((sums, row) => {
        const key = `${slices.source[row]} ${labels[row]}`;
        return { ...sums, [key]: (sums[key] ?? 0) + 1 };
      }, {});
    expect(count(rows)).toEqual(count(labels.keys()));
    expect(new Set(rows).size).toBeLessThan(n);
  });

  it("gives each row both models' answers, in an order that a coin decides", () => {
    const drawn = redraw(candidate, 1, 0);
    const cast = assignRoles(candidate, baseline, drawn);
    drawn.rows.forEach((row, i) => {
      expect([cast.candidate.scores[i], cast.baseline.scores[i]].map((one) => Math.abs(one as number))).toEqual([
        row,
        row,
      ]);
      expect(cast.candidate.labels[i]).toBe(labels[row]);
      expect(cast.candidate.slices["source"]?.[i]).toBe(slices.source[row]);
    });
    const swaps = drawn.swapped.reduce((sum, one) => sum + one, 0);
    expect(Math.abs(swaps - n / 2)).toBeLessThan(4 * Math.sqrt(n / 4));
  });

  it("is the same for the same seed and number, and different for others", () => {
    expect(redraw(candidate, 1, 5)).toEqual(redraw(candidate, 1, 5));
    expect(redraw(candidate, 1, 5).rows).not.toEqual(redraw(candidate, 1, 6).rows);
    expect(redraw(candidate, 2, 5).rows).not.toEqual(redraw(candidate, 1, 5).rows);
  });

  it("draws and swaps whole clusters, and counts a cluster drawn twice as two", () => {
    const groups = labels.map((_, i) => `g${Math.floor(i / 6)}`);
    const grouped = { ...candidate, groups };
    const drawn = redraw(grouped, 1, 0);
    const cast = assignRoles(grouped, { ...baseline, groups }, drawn);
    const clusters = Map.groupBy(drawn.rows.keys(), (i) => cast.candidate.groups?.[i] as string);
    expect(clusters.size).toBe(100);
    for (const members of clusters.values()) {
      expect(members).toHaveLength(6);
      expect(new Set(members.map((i) => groups[drawn.rows[i] as number])).size).toBe(1);
      expect(new Set(members.map((i) => drawn.swapped[i])).size).toBe(1);
    }
  });

  it("takes the altered copies of a row with it, in the same role and cluster", () => {
    const groups = labels.map((_, i) => `g${Math.floor(i / 6)}`);
    // Every other row has a copy, whose answers are those of its row plus a half.
    const origins = [...labels.keys()].filter((i) => i % 2 === 0);
    const altered = (of: typeof candidate) => ({
      ...of,
      groups,
      copies: {
        ...of,
        ids: origins.map((i) => `dark/${of.ids[i]}`),
        labels: Float64Array.from(origins, (i) => of.labels[i]!),
        scores: Float64Array.from(origins, (i) => of.scores[i]! + Math.sign(of.scores[i]!) / 2),
        slices: { augmentation: origins.map(() => "dark") },
        groups: origins.map((i) => groups[i]!),
      },
    });
    const [ours, theirs] = [altered(candidate), altered(baseline)];
    const drawn = redraw(ours, 1, 0);
    const cast = assignRoles(ours, theirs, drawn);
    const even = [...drawn.rows.keys()].filter((i) => drawn.rows[i]! % 2 === 0);
    for (const role of ["candidate", "baseline"] as const) {
      const { scores, groups: clusters, copies } = cast[role];
      expect([...copies!.scores].map((score) => Math.trunc(score))).toEqual(even.map((i) => scores[i]));
      expect(copies!.groups).toEqual(even.map((i) => clusters![i]));
      expect(new Set(copies!.slices["augmentation"])).toEqual(new Set(["dark"]));
    }
  });
});
