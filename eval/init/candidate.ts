import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import type { TensorMetadata } from "../../models/core/tensors.ts";
import type { HeadPlan, InputPlan, Scene, Step } from "./scene.ts";
import type { Roles } from "./roles.ts";

/** What a model.yaml of one wiring says, apart from gates. */
export type Candidate = { input: InputPlan; head: HeadPlan };

type Place = { artifact: ManifestInput["artifact"]; id: string; files: { path: string }[]; datasetId: string };

/** The manifest of one wiring. Pure. */
export function manifestOf({ input, head }: Candidate, { graph }: Scene, roles: Roles, place: Place): ManifestInput {
  const batch = graph.inputs[0]?.shape[0];
  const first = typeof batch === "number" ? batch : "batch";
  const output = graph.outputs.find(({ name }) => name === outputOf(head))!;
  return {
    schemaVersion: 1,
    id: place.id,
    version: "1.0.0",
    task: head.task,
    artifact: place.artifact,
    preprocess: input.steps,
    inputs: graph.inputs.map((one) => ({
      name: one.name,
      dtype: one.dtype as "float32",
      shape: inputShape(one, input.steps[input.from[one.name]!.split(".")[0]!]!, first),
      from: input.from[one.name]!,
    })),
    outputs: [
      { name: output.name, dtype: output.dtype as "float32", shape: outputShape(output, head, first) },
    ] as ManifestInput["outputs"],
    postprocess: [head.head],
    dataset: {
      id: place.datasetId,
      files: place.files,
      ...(roles.id === null ? {} : { idField: roles.id }),
      labels: { [head.head.name]: head.labels },
      ...(roles.slices.length === 0 ? {} : { slices: roles.slices }),
      ...(roles.group === null ? {} : { group: roles.group }),
      ...(roles.time === null ? {} : { time: roles.time }),
    },
  };
}

const outputOf = ({ head }: HeadPlan): string => ("from" in head ? head.from : head.scores);

const named = (sizes: readonly (number | string)[]) => sizes.map((size, i) => (size === "" ? `size_${i + 1}` : size));

function inputShape({ shape }: TensorMetadata, step: Step, first: number | string): (number | string)[] {
  const rest = named(shape.slice(1));
  switch (step.kind) {
    case "text":
      return [first, typeof rest[0] === "number" ? rest[0] : "sequence"];
    case "image": {
      const { width, height } = step.centerCrop ?? step.resize!;
      const channels = step.channels === "gray" ? 1 : 3;
      return step.layout === "hwc" ? [first, height, width, channels] : [first, channels, height, width];
    }
    case "tabular":
      return [first, widthOf(step)];
    case "tensor":
      return [first, ...(step.shape ?? [])];
    case "strings":
      return [first, step.fields.length];
    default:
      return [first, ...rest];
  }
}

function widthOf({ features }: Extract<Step, { kind: "tabular" }>): number {
  return features.reduce((sum, one) => sum + (one.encode === "one-hot" ? one.categories.length : 1), 0);
}

function outputShape({ shape }: TensorMetadata, { head }: HeadPlan, first: number | string): (number | string)[] {
  const rest = named(shape.slice(1));
  if (rest.length !== 1 || typeof rest[0] === "number") return [first, ...rest];
  if (head.kind === "classification") return [first, head.activation === "sigmoid" ? 1 : head.labels.length];
  return [first, head.kind === "series" ? head.horizon : 1];
}
