import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Candidate } from "../../eval/init/candidate.ts";
import { chooseWiring } from "../../eval/init/choose.ts";
import { columnTally } from "../../eval/init/columns.ts";
import { headPlans, outputFacts } from "../../eval/init/heads.ts";
import { inputPlans } from "../../eval/init/inputs.ts";
import { proposeGates } from "../../eval/init/propose-gates.ts";
import { rolesOf, type Roles } from "../../eval/init/roles.ts";
import { Lacking, type HeadPlan, type InputPlan, type Scene } from "../../eval/init/scene.ts";
import type { Trial } from "../../eval/init/trial.ts";
import { workflowsFor } from "../../eval/init/workflows.ts";
import type { Predictions } from "../../eval/predictions/predictions.ts";
import type { GraphLook } from "../../models/inspect/graph.ts";

type Row = Record<string, unknown>;
const columnsOf = (rows: readonly Row[]) => {
  const tally = columnTally();
  for (const row of rows) tally.see(row);
  return tally.columns();
};
const graphOf = (given: Partial<GraphLook>): GraphLook => ({
  producer: "",
  producerVersion: "",
  opsets: [],
  metadata: {},
  inputs: [],
  outputs: [],
  notTensors: [],
  operators: {},
  madeBy: {},
  classes: null,
  zipMap: null,
  ...given,
});
const nothingBeside = { tokenizer: null, classes: null, architecture: null, image: null };
const sceneOf = (graph: Partial<GraphLook>, rows: readonly Row[], more: Partial<Scene> = {}): Scene => ({
  graph: graphOf(graph),
  columns: columnsOf(rows),
  sidecar: nothingBeside,
  answers: {},
  ...more,
});
const rolesIn = (scene: Scene): Roles => {
  const found = rolesOf(
    scene.columns,
    {
      outputs: scene.graph.outputs.map(({ name }) => name),
      ...outputFacts(scene),
      read: scene.graph.inputs.map(({ name }) => name),
    },
    scene.answers,
  );
  if (found === null) throw new Error("no label");
  return found;
};
const float = (name: string, ...shape: (number | string)[]) => ({ name, dtype: "float32", shape });

describe("columns of a data file", () => {
  const columns = columnsOf([
    { id: "a", n: 1, b: true, t: "red", d: "2026-01-02", l: [1, 2], empty: null, long: "0.0380759064334231" },
    { id: "b", n: 2.5, b: false, t: "NA", d: "2026-02-03", l: [3, 4], empty: "", long: "-0.0013" },
    { id: "c", n: null, b: true, t: "red", d: "2026-02-03", l: "[5, 6]" },
  ]);
  const of = (name: string) => columns.find((one) => one.name === name)!;

  it.each([
    ["id", { kind: "text", unique: true, missing: 0 }],
    ["n", { kind: "number", whole: false, missing: 1, min: 1, max: 2.5, mean: 1.75, unique: false }],
    ["b", { kind: "boolean", unique: false }],
    ["t", { kind: "text", missing: 1 }],
    ["d", { kind: "date" }],
    ["l", { kind: "list", size: 2, numeric: true }],
    ["empty", { kind: "empty", missing: 3 }],
    ["long", { kind: "number", missing: 1 }],
  ])("%s", (name, facts) => {
    expect(of(name)).toMatchObject(facts);
  });
});

describe("roles of columns", () => {
  const rows = Array.from({ length: 200 }, (_, i) => ({
    row_id: i,
    customer_id: `c${i % 40}`,
    at: `2026-01-${String((i % 28) + 1).padStart(2, "0")}`,
    region: i % 2 === 0 ? "north" : "south",
    amount: i * 1.5,
    churned: i % 3 === 0 ? "yes" : "no",
  }));

  it("are seen from the graph's classes, names and values", () => {
    const roles = rolesIn(
      sceneOf(
        { inputs: [float("x", "n", 1)], outputs: [float("probabilities", "n", 2)], classes: ["no", "yes"] },
        rows,
      ),
    );
    expect(roles).toMatchObject({
      id: "row_id",
      label: "churned",
      group: "customer_id",
      time: "at",
      slices: ["region"],
    });
  });

  it("two values are what one logit tells apart", () => {
    const pairs = Array.from({ length: 80 }, (_, i) => ({ aa: i * 1.1, dcl: i / 7, oral: i % 2 }));
    const scene = sceneOf({ inputs: [float("x", "n", 2)], outputs: [float("out", "n", 1)] }, pairs);
    expect(rolesIn(scene)).toMatchObject({ label: "oral", questions: [] });
  });

  it("ask where two columns could be the label", () => {
    const open = sceneOf(
      { inputs: [float("x", "n", 1)], outputs: [float("out", "n", 1)] },
      Array.from({ length: 50 }, (_, i) => ({ first: i * 1.1, second: i * 2.2 })),
    );
    expect(rolesIn(open).questions).toMatchObject([{ key: "label", flag: "--label", choices: ["second", "first"] }]);
    expect(rolesIn({ ...open, answers: { label: "first" } })).toMatchObject({ label: "first", questions: [] });
  });
});

describe("ways to feed a graph", () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ a: i, colour: ["red", "blue"][i % 2], b: i / 2, y: i % 2 }));

  it("one vector of numbers, as they are and standardised", () => {
    const scene = sceneOf({ inputs: [float("x", "n", 2)], outputs: [float("logits", "n", 2)] }, rows);
    const plans = inputPlans(scene, rolesIn(scene));
    expect(plans.map(({ reads, guess }) => [reads, guess])).toEqual([
      [["a", "b"], false],
      [["a", "b"], true],
    ]);
  });

  it("numbers, then one-hot categories, when the width adds up", () => {
    const scene = sceneOf({ inputs: [float("x", "n", 4)], outputs: [float("logits", "n", 2)] }, rows);
    const [plan] = inputPlans(scene, rolesIn(scene));
    expect(plan).toMatchObject({ reads: ["a", "b", "colour"], guess: true });
    expect(plan!.steps["row"]).toMatchObject({
      features: [{}, {}, { encode: "one-hot", categories: ["blue", "red"] }],
    });
  });

  it("names that the file keeps decide over their order", () => {
    const scene = sceneOf(
      { inputs: [float("x", "n", 2)], outputs: [float("logits", "n", 2)], metadata: { feature_names: '["b", "a"]' } },
      rows,
    );
    expect(inputPlans(scene, rolesIn(scene))[0]!.reads).toEqual(["b", "a"]);
  });

  it("a column per input, texts as texts", () => {
    const scene = sceneOf(
      {
        inputs: [float("a", "n", 1), { name: "colour", dtype: "string", shape: ["n", 1] }],
        outputs: [float("probabilities", "n", 2)],
        classes: ["0", "1"],
      },
      rows,
    );
    const [plan] = inputPlans(scene, rolesIn(scene));
    expect(plan!.steps).toMatchObject({ a: { kind: "tabular" }, colour: { kind: "strings", fields: ["colour"] } });
    expect(plan!.from).toEqual({ a: "a.features", colour: "colour.values" });
  });

  it.each([
    ["too few columns", { inputs: [float("x", "n", 9)] }, /takes 9 numbers.*--features/],
    [
      "token ids without a tokenizer",
      { inputs: [{ name: "input_ids", dtype: "int64", shape: ["n", "s"] }] },
      /tokenizer\.json/,
    ],
    ["pictures without any", { inputs: [float("image", "n", 3, 32, 32)] }, /picture/],
    ["six channels", { inputs: [float("image", "n", 6, 32, 32)] }, /6 channels/],
    [
      "a decoder",
      {
        inputs: [
          { name: "decoder_input_ids", dtype: "int64", shape: ["n", "t"] },
          float("encoder_hidden_states", "n", "s", 128),
        ],
      },
      /generator/,
    ],
    ["no name that the data has", { inputs: [float("p", "n", 1), float("q", "n", 1)] }, /no p, q/],
  ] as const)("says what is lacking: %s", (_, graph, message) => {
    const scene = sceneOf({ outputs: [float("logits", "n", 2)], ...graph } as unknown as Partial<GraphLook>, rows, {
      answers: { label: "y" },
    });
    expect(() => inputPlans(scene, rolesIn(scene))).toThrow(message);
    expect(() => inputPlans(scene, rolesIn(scene))).toThrow(Lacking);
  });
});

describe("ways to read a graph", () => {
  const labelled = (values: readonly unknown[]) =>
    Array.from({ length: 60 }, (_, i) => ({ x: i, y: values[i % values.length] }));
  const plansOf = (graph: Partial<GraphLook>, values: readonly unknown[], more: Partial<Scene> = {}) => {
    const scene = sceneOf({ inputs: [float("x", "n", 1)], ...graph }, labelled(values), more);
    return headPlans(
      scene,
      scene.columns.find(({ name }) => name === "y")!,
    );
  };

  it.each([
    [
      "logits of words",
      { outputs: [float("l", "n", 2)], madeBy: { l: "Gemm" } },
      ["no", "yes"],
      { activation: "softmax", labels: ["no", "yes"] },
      true,
    ],
    [
      "logits of numbers",
      { outputs: [float("l", "n", 3)], madeBy: { l: "Gemm" } },
      [0, 1, 2],
      { activation: "softmax", labels: ["0", "1", "2"] },
      false,
    ],
    [
      "one logit",
      { outputs: [float("l", "n", 1)], madeBy: { l: "Gemm" } },
      [0, 1],
      { activation: "sigmoid", labels: ["0", "1"] },
      false,
    ],
    [
      "named classes",
      { outputs: [float("p", "n", 2)], classes: ["b", "a"] },
      ["a", "b"],
      { activation: "none", labels: ["b", "a"] },
      false,
    ],
  ] as const)("%s", (_, graph, values, head, guess) => {
    const [first] = plansOf(graph as unknown as Partial<GraphLook>, values);
    expect(first!.head).toMatchObject(head);
    expect(first!.guess).toBe(guess);
  });

  it("writes down how the data spells the classes", () => {
    const beside = { sidecar: { ...nothingBeside, classes: ["NEGATIVE", "POSITIVE"] } };
    const graph = { outputs: [float("l", "n", 2)], madeBy: { l: "Gemm" } };
    expect(plansOf(graph, ["positive", "negative"], beside)[0]!.labels.map).toEqual({
      positive: "POSITIVE",
      negative: "NEGATIVE",
    });
    expect(plansOf(graph, [0, 1], beside)[0]!.labels.map).toEqual({ "0": "NEGATIVE", "1": "POSITIVE" });
    expect(() => plansOf(graph, ["good", "evil"], beside)).toThrow(/--map/);
  });

  it.each([
    ["a detector", { outputs: [float("boxes", 1, 100, 4)] }, [0, 1], /boxes/],
    ["classes that do not add up", { outputs: [float("l", "n", 5)] }, ["a", "b"], /--labels/],
    ["labels alone", { outputs: [{ name: "label", dtype: "int64", shape: ["n"] }] }, [0, 1], /no probabilities/],
  ] as const)("says what is lacking: %s", (_, graph, values, message) => {
    expect(() => plansOf(graph as unknown as Partial<GraphLook>, values)).toThrow(message);
  });
});

describe("the choice among wirings", () => {
  const input = (says: string): InputPlan => ({ steps: {}, from: {}, reads: [], says, guess: false });
  const head = (task: HeadPlan["task"], labels = ["a", "b"]): HeadPlan => ({
    task,
    head:
      task === "regression"
        ? { name: "y", from: "o", kind: "regression" }
        : { name: "y", from: "o", kind: "classification", activation: "none", labels },
    labels: { field: "y" },
    says: "",
    guess: true,
    orderGuessed: true,
  });
  const predictions = {
    labels: new Int32Array(400).map((_, i) => i % 2),
    classes: ["a", "b"],
  } as unknown as Predictions;
  const onTrial = () => {};
  const choose = (values: Record<string, number | null>, one = head("binary-classification"), anyway = false) =>
    chooseWiring(
      Object.keys(values).map(input),
      [one],
      async (candidate: Candidate): Promise<Trial> => {
        const value = values[candidate.input.says]!;
        return value === null
          ? { ok: false, why: "it does not fit" }
          : {
              ok: true,
              metric: one.task === "regression" ? "r2" : "auroc",
              value,
              rows: 400,
              predictions,
              bad: 0,
              twice: false,
              leaks: false,
              firstRow: {},
            };
      },
      onTrial,
      anyway,
    );

  it("takes the best, and names the next", async () => {
    const { best, runnerUp } = await choose({ plain: 0.7, scaled: 0.9, other: null });
    expect([best.input.says, runnerUp?.input.says]).toEqual(["scaled", "plain"]);
  });

  it("keeps the likelier of two that are as good", async () => {
    expect((await choose({ plain: 0.9, scaled: 0.91 })).best.input.says).toBe("plain");
  });

  it("sees half of the error where little is left to gain", async () => {
    expect((await choose({ plain: 0.992, scaled: 0.9992 })).best.input.says).toBe("scaled");
    expect((await choose({ plain: 0.9992, scaled: 0.9999 })).best.input.says).toBe("plain");
  });

  it("never takes one that only wins by swapped classes", async () => {
    await expect(choose({ plain: 0.04 })).rejects.toThrow(/look swapped.*--labels b,a/);
    await expect(choose({ plain: 0.04 }, undefined, true)).rejects.toThrow(/look swapped/);
  });

  it("refuses what knows nothing, unless it is onTrial to go on", async () => {
    await expect(choose({ plain: 0.52 })).rejects.toThrow(/ignores the row/);
    await expect(choose({ plain: -3 }, head("regression"))).rejects.toThrow(/ignores the row/);
    expect((await choose({ plain: -3 }, head("regression"), true)).best.input.says).toBe("plain");
  });

  it("says of each why it does not run", async () => {
    await expect(choose({ plain: null })).rejects.toThrow(/plain: does not run: it does not fit/);
  });
});

describe("proposed gates", () => {
  /** n rows whose scores tell the classes apart mostly. */
  const rowsOf = (n: number): Predictions =>
    ({
      task: "binary-classification",
      head: "y",
      labels: new Int32Array(n).map((_, i) => i % 2),
      scores: new Float64Array(n).map((_, i) => 0.3 + 0.4 * (i % 2) + ((i * 37) % 101) / 250),
      classes: ["0", "1"],
      weights: null,
      groups: null,
      slices: {
        half: Array.from({ length: n }, (_, i) => (i % 4 < 2 ? "x" : "z")),
        few: Array.from({ length: n }, (_, i) => (i < 10 ? "rare" : "most")),
      },
    }) as unknown as Predictions;

  it("have margins that these rows can show, wider for slices, none where a slice is too small", () => {
    const { checks, dropped } = proposeGates("binary-classification", rowsOf(600), ["half", "few"]);
    const kinds = checks.map(
      ({ check }) => check as { kind: string; margin?: number; slices?: string[]; min?: number },
    );
    expect(kinds.map(({ kind, slices }) => [kind, slices?.[0]])).toEqual([
      ["non-inferiority", undefined],
      ["non-inferiority", "half"],
      ["limit", undefined],
    ]);
    expect(kinds[1]!.margin!).toBeGreaterThanOrEqual(kinds[0]!.margin!);
    expect(dropped).toEqual([expect.stringMatching(/no check per few: .*30 of each class/)]);
  });

  it("leave out what too few rows cannot decide", () => {
    const { checks, dropped } = proposeGates("binary-classification", rowsOf(40), []);
    expect(checks.every(({ check }) => (check as { kind: string }).kind === "limit")).toBe(true);
    expect(dropped).toHaveLength(1);
  });
});

it("the workflows are those that docs/adopt.md shows, pinned to the release", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/adopt.md"), "utf8");
  const pinned = workflowsFor({ repository: "octo/sluice", version: "1.2.3", commit: "a".repeat(40) });
  const loose = workflowsFor({ repository: "octo/sluice", version: "1.2.3", commit: null });
  for (const { path, text } of pinned) {
    expect(text).toContain(`uses: octo/sluice/.github/workflows/${path.split("/").at(-1)}@${"a".repeat(40)} # v1.2.3`);
    // The same keys and permissions as on the page; comments and the reference differ.
    const shown = new RegExp('```yaml title="' + path.replaceAll(".", "\\.") + '"\\n([\\s\\S]*?)```').exec(page)![1]!;
    const bare = (yaml: string) =>
      yaml
        .replaceAll(/ *#.*$/gm, "")
        .replaceAll(/(uses: )\S+/g, "$1X")
        .split("\n")
        .filter((line) => line.trim() !== "");
    expect(bare(text)).toEqual(bare(shown));
  }
  expect(loose[0]!.text).toContain("gate.yml@v1.2.3");
});
