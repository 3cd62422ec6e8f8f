import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combiner } from "../../../../models/core/graph/combine.ts";
import { fits, sampleOf } from "../../../../models/core/graph/fits.ts";
import { cycleIn, structureIssues, type Nodes } from "../../../../models/core/graph/structure.ts";
import { compileGraph } from "../../../../models/core/graph/compile.ts";
import { runGraph, type StepResult } from "../../../../models/core/graph/run.ts";
import { graphManifest } from "../../../../models/core/graph/schema.ts";
import { manifest } from "../../../../models/core/manifest/manifest.ts";
import { fieldsOf, rowSchema } from "../../../../models/core/manifest/rows.ts";
import type { ClassificationHead } from "../../../../models/core/postprocess/schema.ts";
import type { ClassificationResult, HeadResult } from "../../../../models/core/postprocess/result.ts";
import { preprocessStep } from "../../../../models/core/preprocess/schema.ts";
import { graphOf, linear } from "./build.ts";

const names = ["root", "n1", "n2", "n3", "n4"];
/** Any links between a few nodes; each node also has a model, so that none is empty. */
const anyNodes = fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { maxLength: 8 }).map((links) =>
  Object.fromEntries(
    names.map((name, i): [string, Nodes[string]] => [
      name,
      {
        sequence: [
          { name: `m${i}`, model: "linear" },
          ...links.filter(([from]) => from === i).map(([, to], k) => ({ name: `s${i}_${k}`, node: names[to]! })),
        ],
      },
    ]),
  ),
);
const linksOf = (nodes: Nodes) =>
  Object.entries(nodes).flatMap(([from, { sequence }]) =>
    sequence!.flatMap(({ node }) => (node === undefined ? [] : [[from, node] as const])),
  );
/** Kahn's algorithm: whether the nodes can be put in an order that all links follow. */
function sortable(nodes: Nodes): boolean {
  let left = Object.keys(nodes);
  let links = linksOf(nodes);
  for (;;) {
    const free = left.filter((name) => !links.some(([, to]) => to === name));
    if (free.length === 0) return left.length === 0;
    left = left.filter((name) => !free.includes(name));
    links = links.filter(([from]) => !free.includes(from));
  }
}

describe("cycles", () => {
  it("are found exactly where the nodes cannot be sorted, and are ways that there are", () => {
    fc.assert(
      fc.property(anyNodes, (nodes) => {
        const cycle = cycleIn(nodes);
        expect(cycle === null).toBe(sortable(nodes));
        if (cycle === null) return;
        expect(cycle[0]).toBe(cycle.at(-1));
        const links = linksOf(nodes).map((edge) => edge.join(" "));
        for (let i = 1; i < cycle.length; i++) expect(links).toContain(`${cycle[i - 1]} ${cycle[i]}`);
      }),
    );
  });

  it("a graph without an issue has none, and a row reaches each of its nodes", () => {
    fc.assert(
      fc.property(anyNodes, (nodes) => {
        if (structureIssues(nodes).length > 0) return;
        expect(cycleIn(nodes)).toBeNull();
        const entered = linksOf(nodes).map(([, to]) => to);
        expect(entered.toSorted()).toEqual(
          Object.keys(nodes)
            .filter((name) => name !== "root")
            .toSorted(),
        );
      }),
    );
  });

  it("a tree has no issue", () => {
    const parents = fc.tuple(fc.nat(0), fc.nat(1), fc.nat(2), fc.nat(3));
    fc.assert(
      fc.property(parents, (of) => {
        const tree = Object.fromEntries(
          names.map((name, i): [string, Nodes[string]] => [
            name,
            {
              sequence: [
                { name: `m${i}`, model: "linear" },
                ...of.flatMap((parent, k) => (parent === i ? [{ name: `to${k}`, node: names[k + 1]! }] : [])),
              ],
            },
          ]),
        );
        expect(structureIssues(tree)).toEqual([]);
      }),
    );
  });
});

const digest = "0".repeat(64);
/** A field of each type, with the schema that a row is checked by. */
const fields = Object.entries({
  text: { kind: "text", field: "x" },
  number: { kind: "tabular", columns: { x: { type: "number" } }, features: [{ column: "x", encode: "number" }] },
  boolean: { kind: "tabular", columns: { x: { type: "boolean" } }, features: [{ column: "x", encode: "number" }] },
  date: {
    kind: "tabular",
    columns: { x: { type: "date" } },
    derive: { y: "year(x)" },
    features: [{ column: "y", encode: "number" }],
  },
  one: { kind: "tensor", field: "x" },
  three: { kind: "tensor", field: "x", shape: [3] },
  matrix: { kind: "tensor", field: "x", shape: [2, 3] },
  series: { kind: "series", field: "x", maxLength: 9, minLength: 3 },
  long: { kind: "series", field: "x", maxLength: 9, minLength: 5 },
  ids: { kind: "items", field: "x", catalogue: { path: "c.json", sha256: digest, id: "id" } },
  key: { kind: "lookup", key: ["x"], store: { path: "s", sha256: digest }, features: { f: {} } },
}).flatMap(([name, step]) => {
  const parsed = preprocessStep.safeParse(step);
  if (!parsed.success) return [];
  const preprocess = { step: parsed.data };
  return [{ name, field: fieldsOf({ preprocess }).get("x")!, schema: rowSchema({ preprocess }) }];
});

describe("types along an edge", () => {
  it("know every type that a row's field may have but pictures and observed values", () => {
    expect(new Set(fields.map(({ field }) => field.type))).toEqual(
      new Set(["text", "number", "boolean", "date", "numbers", "series", "ids", "key"]),
    );
  });

  it("what fits is a value that the field's own schema takes, and every type fits itself", () => {
    for (const from of fields) {
      expect(fits(from.field, from.field)).toBe(true);
      for (const into of fields)
        if (fits(from.field, into.field)) {
          const row = { x: sampleOf(from.field) };
          const taken = into.schema.safeParse(row).success;
          // A key may be a whole number; whether a number is whole is not in its type.
          expect([from.name, into.name, taken || (from.name === "number" && into.name === "key")]).toEqual([
            from.name,
            into.name,
            true,
          ]);
        }
    }
  });

  it("what does not fit is refused by that schema, unless a sample happens to be right", () => {
    const taken = fields.flatMap((from) =>
      fields
        .filter((into) => !fits(from.field, into.field) && into.schema.safeParse({ x: sampleOf(from.field) }).success)
        .map((into) => `${from.name} into ${into.name}`),
    );
    // A key that is a text, a date that is one, a list that is long enough.
    expect(taken.filter((one) => !/key into text|date into key|into (series|three)/.test(one))).toEqual([]);
  });
});

const labels = ["a", "b", "c"];
const head: ClassificationHead = { name: "h", from: "h", kind: "classification", activation: "none", labels };
const distribution = fc
  .array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
  .map((raw): ClassificationResult => {
    const total = raw.reduce((sum, one) => sum + one, 0);
    const shares = raw.map((one) => one / total);
    const top = shares.indexOf(Math.max(...shares));
    return {
      kind: "classification",
      label: labels[top]!,
      score: shares[top]!,
      probabilities: Object.fromEntries(labels.map((label, i) => [label, shares[i]!])),
    };
  });
const members = fc.array(distribution, { minLength: 2, maxLength: 6 });
const shares = (result: HeadResult) => labels.map((label) => (result as ClassificationResult).probabilities[label]!);
const ones = (count: number) => new Array<number>(count).fill(1);

describe("what an ensemble makes of its members", () => {
  it.each(["mean", "weighted", "vote", "max"] as const)("%s is a distribution, with its own label on top", (rule) => {
    fc.assert(
      fc.property(members, (results) => {
        const made = combiner(head, rule, ones(results.length))(results) as ClassificationResult;
        expect(shares(made).reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
        expect(made.probabilities[made.label]).toBe(Math.max(...shares(made)));
      }),
    );
  });

  it("the mean lies between its members, whatever their order, and weights count by their ratio", () => {
    fc.assert(
      fc.property(
        members,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 6, maxLength: 6 }),
        (results, some) => {
          const weights = some.slice(0, results.length);
          const mean = shares(combiner(head, "weighted", weights)(results));
          labels.forEach((_, i) => {
            const own = results.map((one) => shares(one)[i]!);
            expect(mean[i]!).toBeGreaterThanOrEqual(Math.min(...own) - 1e-12);
            expect(mean[i]!).toBeLessThanOrEqual(Math.max(...own) + 1e-12);
          });
          const tenfold = shares(
            combiner(
              head,
              "weighted",
              weights.map((one) => 10 * one),
            )(results),
          );
          const turned = shares(combiner(head, "weighted", weights.toReversed())(results.toReversed()));
          mean.forEach((one, i) => {
            expect(tenfold[i]).toBeCloseTo(one, 12);
            expect(turned[i]).toBeCloseTo(one, 12);
          });
        },
      ),
    );
  });

  it("members that agree to the number are answered as each of them; the most votes win", () => {
    fc.assert(
      fc.property(distribution, fc.integer({ min: 2, max: 5 }), (one, count) => {
        const same = new Array<ClassificationResult>(count).fill(one);
        for (const rule of ["mean", "max"] as const)
          shares(combiner(head, rule, ones(count))(same)).forEach((share, i) =>
            expect(share).toBeCloseTo(shares(one)[i]!, 12),
          );
      }),
    );
    fc.assert(
      fc.property(members, (results) => {
        const { label } = combiner(head, "vote", ones(results.length))(results) as ClassificationResult;
        const votes = (of: string) => results.filter((one) => one.label === of).length;
        expect(votes(label)).toBe(Math.max(...labels.map(votes)));
      }),
    );
  });
});

describe("rows on their way", () => {
  const declared = graphManifest.parse(
    graphOf(
      {
        root: {
          sequence: [
            { name: "first", model: "linear" },
            { name: "then", node: "choice" },
          ],
        },
        choice: {
          switch: [
            { name: "low", model: "linear", condition: "first.value.value < 20" },
            { name: "split", node: "arms" },
          ],
        },
        arms: {
          key: "user",
          splitter: [
            { name: "old", model: "linear", weight: 1, inputs: { a: "first.value.value" } },
            { name: "new", node: "all", weight: 2 },
          ],
        },
        all: {
          ensemble: [
            { name: "x", model: "linear" },
            { name: "y", model: "linear", inputs: { b: "a" } },
          ],
        },
      },
      { columns: { user: { type: "string" } } },
    ),
  );
  const compiled = compileGraph(declared, new Map([["linear", manifest.parse(linear())]]));
  if (!("graph" in compiled)) throw new Error(JSON.stringify(compiled.issues));
  const { graph } = compiled;
  const rows = fc.array(
    fc.record({ a: fc.integer({ min: -9, max: 9 }), b: fc.nat(3), c: fc.nat(1), user: fc.string({ maxLength: 2 }) }),
    { minLength: 1, maxLength: 12 },
  );
  const run = async (given: readonly Record<string, unknown>[]) => {
    const asked: string[] = [];
    const results = await runGraph(graph, "salt", given, (step, some) => {
      asked.push(...some.map(() => step.name));
      return Promise.resolve(
        some.map(({ a, b, c }): StepResult => ({
          ok: true,
          heads: { value: { kind: "regression", value: Number(a) + 10 * Number(b) + 100 * Number(c) } },
        })),
      );
    });
    return { asked, results };
  };

  it("a row is answered the same alone and among others, and asks for the steps of its own way only", async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        const together = await run(given);
        const alone = await Promise.all(given.map((row) => run([row])));
        alone.forEach(({ results }, i) => {
          const one = results[0]!;
          expect(together.results[i]!.ok).toBe(one.ok);
          if (one.ok) expect(together.results[i]).toEqual(one);
        });
        expect(together.asked.toSorted()).toEqual(alone.flatMap(({ asked }) => asked).toSorted());
        for (const { asked } of alone)
          expect([["first"], ["first", "low"], ["first", "old"], ["first", "x", "y"]]).toContainEqual(asked);
      }),
    );
  });
});
