import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateSequences, type GenerateOptions } from "../../../../models/core/generate/generator.ts";
import type { Graphs } from "../../../../models/core/generate/graph.ts";
import { feedsOf, files, openFamily, planOf, reference, settingsOf } from "./families.ts";

describe.each(Object.keys(files))("the loop over %s graphs", (family) => {
  const { sources, answers } = reference.families[family]!;
  let graphs: Graphs;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ graphs, close } = await openFamily(family));
  });
  afterAll(() => close());

  const made = async (rows: typeof sources, changes: object, options?: GenerateOptions) => {
    const settings = settingsOf(family, changes);
    const { sequences } = await generateSequences(planOf(graphs, settings), settings, feedsOf(rows), options);
    return sequences.map(({ ids, ended }) => (ended ? [...ids, settings.end[0]!] : ids));
  };

  it("keeps a cache, and can mask a batch", () => {
    const plan = planOf(graphs, settingsOf(family));
    expect(plan.next).not.toBeNull();
    expect(plan.masked).toBe(true);
    expect(planOf(graphs, settingsOf(family, { cache: false })).next).toBeNull();
  });

  describe.each(answers)("$way", ({ way, made: expected }) => {
    it("makes torch's tokens in a batch", async () => {
      expect(await made(sources, way)).toEqual(expected);
    });

    it("makes them row by row", async () => {
      for (const [i, source] of sources.entries())
        expect(await made([source] as typeof sources, way)).toEqual([expected[i]]);
    });

    it("makes them without a cache", async () => {
      expect(await made(sources, { ...way, cache: false })).toEqual(expected);
    });
  });

  it("tells of every token as it is made, the end apart", async () => {
    const seen: number[][] = sources.map(() => []);
    const result = await made(sources, {}, { onToken: (row, id) => seen[row]!.push(id) });
    expect(seen).toEqual(result.map((ids) => ids.filter((id) => id !== reference.base.end)));
  });
});
