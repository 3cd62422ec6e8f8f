import type { TensorMetadata } from "../../models/core/tensors.ts";
import type { Column } from "./columns.ts";
import type { Roles } from "./roles.ts";
import { Lacking, type InputPlan, type Scene, type Step } from "./scene.ts";

type TabularStep = Extract<Step, { kind: "tabular" }>;

const loose = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
const isNumeric = ({ kind }: Column) => kind === "number" || kind === "boolean";
/** Keys under which exporters keep the names of the columns. */
const nameKeys = /^(feature_?names?(_in)?|columns|input_features|features)$/i;
const listed = (names: readonly string[]) =>
  names.length <= 12 ? names.join(", ") : `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`;

/** Whether the graph itself knows what to do with a missing number. */
const takesMissing = ({ graph }: Scene) =>
  Object.keys(graph.operators).some((operator) => /^TreeEnsemble|^Imputer$|^IsNaN$/.test(operator));

/** The type of a column, and what its missing values become: NaN for graphs that know it, else the mean, a guess. */
function columnType(one: Column, scene: Scene): TabularStep["columns"][string] {
  if (one.kind === "boolean") return { type: "boolean", ...(one.missing > 0 ? { missing: { fill: "false" } } : {}) };
  if (one.missing === 0) return { type: "number" };
  return { type: "number", missing: takesMissing(scene) ? "nan" : { fill: Number(one.mean.toPrecision(6)) } };
}

const filled = (columns: readonly Column[], scene: Scene) =>
  columns.some(({ missing }) => missing > 0) && !takesMissing(scene);

/**
 * Graphs that scikit-learn's exporter makes of a data frame: an input for each column, by its name.
 *
 * @throws Lacking with the inputs that no column is called like
 */
export function oneInputPerColumn(
  inputs: readonly TensorMetadata[],
  scene: Scene,
  columns: readonly Column[],
  roles: Roles,
): InputPlan {
  const byName = new Map(columns.map((one) => [loose(one.name), one]));
  const missing = inputs.filter(({ name }) => !byName.has(loose(name)));
  // A single anonymous number, and a single column that can be it.
  const others = columns.filter((one) => isNumeric(one) && one.name !== roles.id);
  if (missing.length > 0 && !(inputs.length === 1 && others.length === 1))
    throw new Lacking([
      `the graph takes a column each for ${listed(inputs.map(({ name }) => name))}, and the data has no ${listed(missing.map(({ name }) => name))}; it has ${listed(columns.map(({ name }) => name))}`,
    ]);
  const steps: Record<string, Step> = {};
  const from: Record<string, string> = {};
  const reads: Column[] = [];
  for (const input of inputs) {
    const column = byName.get(loose(input.name)) ?? others[0]!;
    const step = stepName(input.name, steps);
    if (input.dtype === "string")
      steps[step] = {
        kind: "strings",
        fields: [column.name],
        ...(column.missing > 0 ? { missing: { fill: "" } } : {}),
      };
    else if (!isNumeric(column))
      throw new Lacking([
        `the input ${input.name} takes ${input.dtype}, and the column "${column.name}" holds ${column.kind === "text" ? "texts" : `values of kind ${column.kind}`}, e.g. ${JSON.stringify(column.example)}`,
      ]);
    else if (input.shape.length < 2) steps[step] = { kind: "tensor", field: column.name };
    else
      steps[step] = {
        kind: "tabular",
        columns: { [column.name]: columnType(column, scene) },
        features: [{ column: column.name, encode: "number" }],
      };
    from[input.name] = `${step}.${steps[step].kind === "tabular" ? "features" : "values"}`;
    reads.push(column);
  }
  return {
    steps,
    from,
    reads: reads.map(({ name }) => name),
    says: `each of the graph's ${inputs.length} inputs is the column of its name`,
    guess: filled(reads, scene),
  };
}

function stepName(input: string, taken: Readonly<Record<string, unknown>>): string {
  const base = input.replaceAll(/[^\w-]+/g, "_") || "column";
  return Object.hasOwn(taken, base) ? `${base}_${Object.keys(taken).length}` : base;
}

/**
 * One vector of columns. Their names come from the person or from the file; else their number has to tell.
 *
 * @throws Lacking when it does not
 */
export function vectorPlans(input: TensorMetadata, scene: Scene, roles: Roles, free: readonly Column[]): InputPlan[] {
  const width = input.shape[1];
  const named = scene.answers.features ?? namesIn(scene);
  if (named !== null) {
    const columns = named.map((name) =>
      scene.columns.find((one) => one.name === name || loose(one.name) === loose(name)),
    );
    const absent = named.filter((_, i) => columns[i] === undefined);
    if (absent.length > 0)
      throw new Lacking([
        `the data has no column ${listed(absent)}; it has ${listed(scene.columns.map(({ name }) => name))}`,
      ]);
    if (typeof width === "number" && columns.length !== width && input.dtype === "string")
      throw new Lacking([`the input ${input.name} takes ${width} columns, and ${columns.length} are named`]);
    return ofColumns(
      input,
      scene,
      columns as Column[],
      scene.answers.features === undefined ? "the names in the file" : "as said",
    );
  }
  if (input.dtype === "string") {
    const texts = free.filter(({ kind }) => kind !== "list" && kind !== "image" && kind !== "other");
    if (typeof width === "number" && texts.length !== width)
      throw new Lacking([wrongCount(input, width, texts, "columns")]);
    return ofColumns(input, scene, texts, "the columns in the file's order");
  }
  const numbers = free.filter((one) => isNumeric(one) && one.name !== roles.id);
  const withoutIds = numbers.filter(
    ({ name, unique, whole }) => !(unique && whole && /id|index|^$|unnamed/i.test(name)),
  );
  const wanted = typeof width === "number" ? width : withoutIds.length;
  for (const columns of [withoutIds, numbers])
    if (columns.length === wanted && wanted > 0)
      return ofColumns(input, scene, columns, "the numeric columns in the file's order");
  const categories = free.filter((one) => one.kind === "text" && !one.many && one.values.size <= 60);
  const hot = (dropped: number) =>
    withoutIds.length + categories.reduce((sum, { values }) => sum + values.size - dropped, 0);
  for (const dropped of [0, 1])
    if (categories.length > 0 && hot(dropped) === wanted)
      return [withOneHot(input, scene, withoutIds, categories, dropped)];
  throw new Lacking([wrongCount(input, wanted, withoutIds, "numbers")]);
}

const wrongCount = (input: TensorMetadata, width: number, columns: readonly Column[], what: string) =>
  `the input ${input.name} takes ${width} ${what}, and the data has ${columns.length} that could be them (${listed(columns.map(({ name }) => name)) || "none"}): name them in the graph's order with --features a,b,c`;

function namesIn({ graph }: Scene): string[] | null {
  for (const [key, value] of Object.entries(graph.metadata)) {
    if (!nameKeys.test(key)) continue;
    try {
      const parsed: unknown = JSON.parse(value.replaceAll("'", '"'));
      if (Array.isArray(parsed) && parsed.every((one) => typeof one === "string")) return parsed;
    } catch {
      return value.split(",").map((one) => one.trim());
    }
  }
  return null;
}

function ofColumns(input: TensorMetadata, scene: Scene, columns: readonly Column[], why: string): InputPlan[] {
  const reads = columns.map(({ name }) => name);
  const clear = why !== "the numeric columns in the file's order" && why !== "the columns in the file's order";
  if (input.dtype === "string")
    return [
      {
        steps: {
          row: {
            kind: "strings",
            fields: reads,
            ...(columns.some(({ missing }) => missing > 0) ? { missing: { fill: "" } } : {}),
          },
        },
        from: { [input.name]: "row.values" },
        reads,
        says: `${reads.length} columns as texts: ${why}`,
        guess: !clear,
      },
    ];
  const wrong = columns.find((one) => !isNumeric(one));
  if (wrong !== undefined)
    throw new Lacking([
      `the input ${input.name} takes numbers, and the column "${wrong.name}" holds ${wrong.kind}: how it was encoded is not in the file; write it into \`features\` of model.yaml, or export the pipeline with its encoder`,
    ]);
  const plan = (says: string, guess: boolean, encode: (one: Column) => TabularStep["features"][number]): InputPlan => ({
    steps: {
      row: {
        kind: "tabular",
        columns: Object.fromEntries(columns.map((one) => [one.name, columnType(one, scene)])),
        features: columns.map(encode),
      },
    },
    from: { [input.name]: "row.features" },
    reads,
    says,
    guess: guess || filled(columns, scene),
  });
  const plain = plan(`${reads.length} numbers: ${why}`, false, ({ name }) => ({ column: name, encode: "number" }));
  const scales = Object.keys(scene.graph.operators).some((operator) => /^Scaler$|^TreeEnsemble/.test(operator));
  if (scales || columns.every(({ kind }) => kind === "boolean")) return [plain];
  return [
    plain,
    plan(
      `${reads.length} numbers, each standardised with this data's own mean and deviation: ${why}`,
      true,
      ({ name, mean, std, kind }) =>
        kind === "boolean" || !(std > 0)
          ? { column: name, encode: "number" }
          : {
              column: name,
              encode: "standardize",
              mean: Number(mean.toPrecision(8)),
              std: Number(std.toPrecision(8)),
            },
    ),
  ];
}

/** Numbers first, then each category's columns in alphabetical order, as pandas' get_dummies makes them. */
function withOneHot(
  input: TensorMetadata,
  scene: Scene,
  numbers: readonly Column[],
  categories: readonly Column[],
  dropped: number,
): InputPlan {
  return {
    steps: {
      row: {
        kind: "tabular",
        columns: Object.fromEntries([
          ...numbers.map((one) => [one.name, columnType(one, scene)] as const),
          ...categories.map(
            (one) =>
              [one.name, { type: "string" as const, ...(one.missing > 0 ? { missing: { fill: "" } } : {}) }] as const,
          ),
        ]),
        features: [
          ...numbers.map(({ name }) => ({ column: name, encode: "number" as const })),
          ...categories.map(({ name, values }) => ({
            column: name,
            encode: "one-hot" as const,
            categories: [...values.keys()].toSorted().slice(dropped),
            ...(dropped > 0 ? { unknown: "zeros" as const } : {}),
          })),
        ],
      },
    },
    from: { [input.name]: "row.features" },
    reads: [...numbers, ...categories].map(({ name }) => name),
    says: `${numbers.length} numbers, then ${categories.length} categories in alphabetical order as columns of 0 and 1${dropped > 0 ? ", the first of each left out" : ""}`,
    guess: true,
  };
}

/**
 * Several vectors: each takes the next columns of its type.
 *
 * @throws Lacking when their numbers do not add up
 */
export function tableOf(inputs: readonly TensorMetadata[], scene: Scene, free: readonly Column[]): InputPlan {
  const numbers = free.filter(isNumeric);
  const texts = free.filter(({ kind }) => kind === "text" || kind === "date");
  const steps: Record<string, Step> = {};
  const from: Record<string, string> = {};
  const reads: string[] = [];
  for (const input of inputs) {
    const width = input.shape[1] ?? 1;
    const pool = input.dtype === "string" ? texts : numbers;
    const own = scene.columns.find(({ name }) => loose(name) === loose(input.name));
    const count = typeof width === "number" ? width : pool.length;
    const columns = own !== undefined && count === 1 ? [own] : pool.splice(0, count);
    if (columns.length < count)
      throw new Lacking([
        `the input ${input.name} takes ${count} columns of ${input.dtype}, and only ${columns.length} are left for it`,
      ]);
    const step = stepName(input.name, steps);
    steps[step] =
      input.dtype === "string"
        ? { kind: "strings", fields: columns.map(({ name }) => name) }
        : {
            kind: "tabular",
            columns: Object.fromEntries(columns.map((one) => [one.name, columnType(one, scene)])),
            features: columns.map(({ name }) => ({ column: name, encode: "number" as const })),
          };
    from[input.name] = `${step}.${input.dtype === "string" ? "values" : "features"}`;
    reads.push(...columns.map(({ name }) => name));
  }
  return { steps, from, reads, says: "each input takes the next columns of its type in the file's order", guess: true };
}
