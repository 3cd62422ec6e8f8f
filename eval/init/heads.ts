import type { TensorMetadata } from "../../models/core/tensors.ts";
import type { Column } from "./columns.ts";
import { Lacking, type HeadPlan, type Scene } from "./scene.ts";

/** Nodes whose outputs are numbers of any size, so no probabilities. */
const makesLogits = /^(Gemm|MatMul|Add|Conv|Linear|Reshape|Squeeze|Flatten)$/;
const isFloat = ({ dtype }: TensorMetadata) => /^(float|double)/.test(dtype);
const yes = /^(1|1\.0|true|yes|y|pos|positive|spam|fraud|malignant|bad|churn(ed)?|default|good)$/i;

/** What the outputs say before a label is known. */
export function outputFacts({ graph, sidecar, answers, columns }: Scene): {
  classes: number | null;
  names: string[] | null;
  horizon: number | null;
} {
  const names = answers.labels === undefined ? (sidecar.classes ?? graph.classes) : [...answers.labels];
  const wide = graph.outputs
    .filter(isFloat)
    .map(({ shape }) => (shape.length === 2 ? shape[1] : shape.length === 1 ? 1 : null));
  const width = wide.find((one) => typeof one === "number" && one > 1);
  const series = columns.some(({ kind, numeric, size }) => kind === "list" && numeric && size === width);
  const regression = Object.keys(graph.operators).some((one) => one.endsWith("Regressor"));
  return {
    classes: regression ? null : (names?.length ?? (typeof width === "number" && !series ? width : null)),
    names,
    horizon: typeof width === "number" && names === null && series ? width : null,
  };
}

/**
 * The ways in which the graph's outputs may answer what the label's column holds, the likeliest first. Where several are
 * returned for one output, the first whose answers are possible is right. Pure.
 *
 * @throws Lacking
 */
export function headPlans(scene: Scene, label: Column): HeadPlan[] {
  const { graph } = scene;
  const float = graph.outputs.filter(isFloat);
  if (graph.zipMap === null && graph.outputs.length === 0)
    throw new Lacking([`no output of the graph is a tensor (${graph.notTensors.join(", ")})`]);
  const loose = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  // An output that is called like the label answers for it. Else the first that can.
  const order = float.toSorted(
    (a, b) => Number(loose(b.name).includes(loose(label.name))) - Number(loose(a.name).includes(loose(label.name))),
  );
  const lacks: string[] = [];
  for (const output of order) {
    try {
      return plansOf(output, scene, label);
    } catch (error) {
      if (!(error instanceof Lacking)) throw error;
      lacks.push(...error.lacks);
    }
  }
  if (float.length === 0)
    lacks.push(
      `the graph's outputs are ${graph.outputs.map(({ name, dtype, shape }) => `${name} (${dtype} [${shape.join(", ")}])`).join(", ")}: no probabilities and no number to measure`,
    );
  throw new Lacking(lacks);
}

function plansOf(output: TensorMetadata, scene: Scene, label: Column): HeadPlan[] {
  const { shape } = output;
  const shown = shownTensor(output);
  const { names, horizon } = outputFacts(scene);
  if (shape.length === 3) return [spansPlan(output, scene, label)];
  if (shape.length > 3) throw new Lacking([`the output ${shown} is an image or a map, and no head reads one`]);
  const width = shape.length < 2 ? 1 : shape[1]!;
  if (label.kind === "list") return [seriesPlan(output, label, horizon)];
  const number = label.kind === "number";
  const distinct = label.many ? Infinity : label.values.size;
  const wide = typeof width === "number" ? width : (names?.length ?? (number && distinct > 20 ? 1 : distinct));
  const says = (text: string) => `${text}, from ${shown}`;
  const regression = Object.keys(scene.graph.operators).some((one) => one.endsWith("Regressor"));
  const asked = scene.answers.task;
  if (asked === "regression" || (asked === undefined && wide === 1 && number && (distinct > 2 || regression))) {
    if (wide !== 1) throw new Lacking([`the output ${shown} gives ${wide} numbers per row, and a regression has one`]);
    return regressionPlans(output, label, says);
  }
  const { classes, guess, map, why } = classesOf(scene, label, wide === 1 ? 2 : wide);
  const chain: ("none" | "softmax" | "sigmoid")[] =
    makesLogits.test(scene.graph.madeBy[output.name] ?? "") &&
    scene.graph.zipMap === null &&
    scene.graph.classes === null
      ? [wide === 1 ? "sigmoid" : "softmax", "none"]
      : ["none", wide === 1 ? "sigmoid" : "softmax"];
  const positive = scene.answers.positive ?? (classes.length === 2 ? positiveOf(classes) : undefined);
  return chain.map((activation) => ({
    task: classes.length === 2 ? "binary-classification" : "multiclass-classification",
    head: {
      name: headName(label.name),
      from: output.name,
      kind: "classification",
      activation,
      labels: classes,
      ...(positive === undefined || positive === classes.at(-1) ? {} : { positive }),
    },
    labels: { field: label.name, ...(map === null ? {} : { map }) },
    says: says(
      `${classes.length} classes: ${why}; ${activation === "none" ? "the graph gives probabilities" : `the graph gives logits, ${activation} over them`}`,
    ),
    guess,
    orderGuessed: guess && classes.length === 2,
  }));
}

const shownTensor = ({ name, shape }: TensorMetadata) =>
  `${name} [${shape.map((size) => (size === "" ? "?" : size)).join(", ")}]`;

const headName = (label: string) => label.replaceAll(/[^\w-]+/g, "_") || "answer";

function positiveOf(classes: readonly string[]): string {
  return classes.findLast((one) => yes.test(one)) ?? classes.at(-1)!;
}

/** The target as it is, and through what training code does to targets. */
function regressionPlans(output: TensorMetadata, label: Column, says: (text: string) => string): HeadPlan[] {
  const plan = (what: string, inverse: object | null, guess: boolean): HeadPlan => ({
    task: "regression",
    head: {
      name: headName(label.name),
      from: output.name,
      kind: "regression",
      ...(inverse === null ? {} : { inverse: inverse as { kind: "exp" } }),
    },
    labels: { field: label.name },
    says: says(what),
    guess,
    orderGuessed: false,
  });
  return [
    plan("a number as it is", null, false),
    ...((label.min ?? -1) >= 0
      ? [
          plan("exp(x) − 1 of the number (trained on log1p)", { kind: "expm1" }, true),
          plan("exp(x) of the number (trained on the logarithm)", { kind: "exp" }, true),
        ]
      : []),
    plan(
      "the number times this data's own deviation, plus its mean (trained on a standardised target)",
      { kind: "affine", scale: Number(label.std.toPrecision(8)), offset: Number(label.mean.toPrecision(8)) },
      true,
    ),
  ];
}

function seriesPlan(output: TensorMetadata, label: Column, horizon: number | null): HeadPlan {
  const width = output.shape[1];
  if (!label.numeric || label.size === null)
    throw new Lacking([`the column "${label.name}" holds lists that are no series of equal length`]);
  if (typeof width === "number" && width !== label.size)
    throw new Lacking([`the output ${output.name} gives ${width} steps, and "${label.name}" has ${label.size}`]);
  void horizon;
  return {
    task: "forecasting",
    head: { name: headName(label.name), from: output.name, kind: "series", horizon: label.size },
    labels: { field: label.name },
    says: `a forecast of ${label.size} steps, from ${output.name}`,
    guess: false,
    orderGuessed: false,
  };
}

function spansPlan(output: TensorMetadata, { sidecar }: Scene, label: Column): HeadPlan {
  const shown = shownTensor(output);
  const { classes } = sidecar;
  if (classes?.some((one) => one.startsWith("B-")) === true)
    return {
      task: "token-classification",
      head: { name: headName(label.name), from: output.name, kind: "spans", labels: classes },
      labels: { field: label.name },
      says: `a label per token, from ${shown}; config.json names them`,
      guess: false,
      orderGuessed: false,
    };
  const last = output.shape[2];
  throw new Lacking([
    last === 4
      ? `the output ${shown} is boxes of a detector, and no head reads boxes`
      : `the output ${shown} gives several rows of numbers per answer: a detector's scores, logits per token of a generator, or labels per token without their names (id2label in a config.json beside the model)`,
  ]);
}

type Classes = { classes: string[]; guess: boolean; map: Record<string, string> | null; why: string };

/** Class names in the graph's order, and how the data writes them. */
function classesOf({ answers, sidecar, graph }: Scene, label: Column, count: number): Classes {
  if (label.many)
    throw new Lacking([
      `the column "${label.name}" has more different values than classes make sense, and the graph gives ${count}`,
    ]);
  const values = [...label.values.keys()];
  const stated = answers.labels ?? sidecar.classes ?? graph.classes;
  const source =
    answers.labels === undefined
      ? sidecar.classes === null
        ? "the graph names them"
        : "config.json names them"
      : "as said";
  if (stated !== null && stated.length !== count)
    throw new Lacking([`${stated.length} classes are named (${stated.join(", ")}), and the graph gives ${count}`]);
  if (stated !== null) {
    const map = answers.map ?? mapTo(values, stated);
    const strange = values.filter((one) => (map === null ? !stated.includes(one) : map[one] === undefined));
    if (strange.length > 0)
      throw new Lacking([
        `the column "${label.name}" holds ${strange
          .slice(0, 5)
          .map((one) => JSON.stringify(one))
          .join(", ")}, and the classes are ${stated.join(", ")}: say which is which with --map VALUE=CLASS,…`,
      ]);
    return { classes: [...stated], guess: false, map: map === null ? null : { ...map }, why: source };
  }
  const whole = values.every((one) => /^\d+$/.test(one));
  if (whole && values.every((one) => Number(one) < count))
    return {
      classes: Array.from({ length: count }, (_, i) => String(i)),
      guess: false,
      map: null,
      why: "the data's whole numbers are the graph's positions",
    };
  if (values.length !== count)
    throw new Lacking([
      `the graph gives ${count} numbers, and "${label.name}" has ${values.length} different values (${values.slice(0, 6).join(", ")}): name the classes in the graph's order with --labels a,b,c`,
    ]);
  const sorted = values.toSorted((a, b) => (whole ? Number(a) - Number(b) : a < b ? -1 : 1));
  return {
    classes: sorted,
    guess: true,
    map: null,
    why: whole
      ? "the data's values in their order"
      : "the data's values in alphabetical order, as scikit-learn sorts them",
  };
}

const truths: Record<string, string> = { false: "0", true: "1", no: "0", yes: "1", "0.0": "0", "1.0": "1" };

/** How the data writes the classes; null where it writes them as they are. */
function mapTo(values: readonly string[], classes: readonly string[]): Record<string, string> | null {
  if (values.every((one) => classes.includes(one))) return null;
  const byLower = new Map(classes.map((one) => [one.toLowerCase(), one]));
  if (values.every((one) => byLower.has(one.toLowerCase())))
    return Object.fromEntries(values.map((one) => [one, byLower.get(one.toLowerCase())!]));
  const number = (one: string) => (/^\d+(\.0)?$/.test(one) ? String(Number(one)) : truths[one.toLowerCase()]);
  const direct = values.map((one) => number(one));
  if (direct.every((one) => one !== undefined && classes.includes(one)))
    return Object.fromEntries(values.map((one, i) => [one, direct[i]!]));
  if (direct.every((one) => one !== undefined && Number(one) < classes.length))
    return Object.fromEntries(values.map((one, i) => [one, classes[Number(direct[i])]!]));
  return {};
}
