import type { TensorMetadata } from "../../models/core/tensors.ts";
import type { Column } from "./columns.ts";
import { imagePlans } from "./image-inputs.ts";
import type { Roles } from "./roles.ts";
import { Lacking, type InputPlan, type Scene, type Step } from "./scene.ts";
import { oneInputPerColumn, tableOf, vectorPlans } from "./table-inputs.ts";

const tokenInput = /(^|_|\.)(input_?ids|ids|tokens?|attention_?mask|input_?mask|token_?type_?ids|segment_?ids)$/i;
const isInteger = ({ dtype }: TensorMetadata) => dtype === "int64" || dtype === "int32";

/**
 * The ways in which the data's columns may become the graph's inputs, the likeliest first. Names decide; where they do
 * not, several are returned, and running them ranks them. Pure.
 *
 * @throws Lacking naming what each input needs
 */
export function inputPlans(scene: Scene, roles: Roles): InputPlan[] {
  const { graph } = scene;
  const taken = new Set([roles.label, roles.id, roles.group, roles.time].filter((name) => name !== null));
  // The graph may read a column that looks like an id or a time by its very name.
  const free = scene.columns.filter(
    (one) => one.name !== roles.label && (!taken.has(one.name) || scene.answers.features?.includes(one.name) === true),
  );
  const texts = graph.inputs.filter((one) => isTokens(one));
  const images = graph.inputs.filter((one) => one.shape.length === 4);
  const rest = graph.inputs.filter((one) => !texts.includes(one) && !images.includes(one));
  const lacks: string[] = [];
  const parts: InputPlan[][] = [];
  const attempt = (make: () => InputPlan[]) => {
    try {
      parts.push(make());
    } catch (error) {
      if (!(error instanceof Lacking)) throw error;
      lacks.push(...error.lacks);
    }
  };
  if (texts.length > 0) attempt(() => [textPlan(texts, scene, free)]);
  for (const one of images) attempt(() => imagePlans(one, scene));
  if (rest.length > 0) attempt(() => numberPlans(rest, scene, roles, free));
  if (lacks.length > 0) throw new Lacking(lacks);
  return combined(parts);
}

function isTokens(input: TensorMetadata): boolean {
  if (!isInteger(input) || input.shape.length !== 2) return false;
  const [, length] = input.shape;
  return tokenInput.test(input.name) || (typeof length === "string" && !/^(\d+|n?_?features?)$/i.test(length));
}

function textPlan(
  inputs: readonly TensorMetadata[],
  { graph, sidecar, answers }: Scene,
  free: readonly Column[],
): InputPlan {
  const odd = inputs.find(({ name }) => /decoder|past_key|encoder_hidden|position_ids/i.test(name));
  if (odd !== undefined || graph.inputs.some(({ name }) => /past_key|encoder_hidden_states/i.test(name)))
    throw new Lacking([
      `the graph is a part of a generator (input ${odd?.name ?? "past_key_values"}): it is run in a loop over its own answers, and init sets up graphs that answer in one run`,
    ]);
  const lists = free.filter(({ kind, numeric }) => kind === "list" && numeric);
  if (sidecar.tokenizer === null)
    throw new Lacking([
      `the graph takes token ids (${inputs.map(({ name }) => name).join(", ")}), and there is no tokenizer.json beside it${
        lists.length === 0
          ? ""
          : `; the data has ids already ("${lists[0]!.name}"), but lists of varying length are made by a tokenizer alone`
      }: save it with tokenizer.save_pretrained(FOLDER), or name it with --tokenizer FILE`,
    ]);
  const candidates = free
    .filter(({ kind, length }) => kind === "text" && length > 0)
    .toSorted((a, b) => b.length - a.length);
  const field = answers.text ?? candidates[0]?.name;
  if (field === undefined)
    throw new Lacking(["the graph reads a text, and no column of the data holds one: --text COLUMN"]);
  const fixed = inputs.map(({ shape }) => shape[1]).find((size) => typeof size === "number");
  const { file, config, padId, maxTokens } = sidecar.tokenizer;
  const tokens: Step = {
    kind: "text",
    field,
    tokenizer: file,
    ...(config === null ? {} : { tokenizerConfig: config }),
    maxTokens: fixed ?? Math.min(maxTokens ?? 512, 512),
    ...(padId === 0 ? {} : { padId }),
    ...(fixed === undefined ? {} : { padTo: fixed }),
  };
  const from = Object.fromEntries(
    inputs.map(({ name }) => [
      name,
      /mask/i.test(name)
        ? "tokens.attention_mask"
        : /type|segment/i.test(name)
          ? "tokens.token_type_ids"
          : "tokens.ids",
    ]),
  );
  const clear =
    answers.text !== undefined ||
    candidates.length === 1 ||
    /^(text|sentence|review|comment|body|content)$/i.test(field);
  return {
    steps: { tokens },
    from,
    reads: [field],
    says: `the text of "${field}" through ${file.split(/[\\/]/).at(-1)}`,
    guess: !clear,
  };
}

/** Numbers and short texts: a column each, one vector, or lists. */
function numberPlans(
  inputs: readonly TensorMetadata[],
  scene: Scene,
  roles: Roles,
  free: readonly Column[],
): InputPlan[] {
  const deep = inputs.find(({ shape }) => shape.length > 2);
  const strange = inputs.find(
    ({ dtype }) => dtype === "unknown" || /^(type|uint(16|32|64)|int16|bfloat16)/.test(dtype),
  );
  if (strange !== undefined)
    throw new Lacking([`the input ${strange.name} is of type ${strange.dtype}, which no preprocessing step makes`]);
  const lists = free.filter(({ kind }) => kind === "list");
  if (deep !== undefined) {
    const shape = deep.shape.slice(1);
    throw new Lacking([
      `the input ${deep.name} takes numbers of shape [${deep.shape.join(", ")}]: give each row a nested list of that shape in JSON Lines, and a tensor step with shape [${shape.join(", ")}]`,
    ]);
  }
  const [only] = inputs;
  if (inputs.length === 1 && only!.shape.length === 2 && lists.length > 0) {
    const width = only!.shape[1]!;
    const fits = lists.filter(
      ({ size, numeric }) => numeric && size !== null && (width === size || typeof width === "string"),
    );
    const named = fits.find(({ name }) => name.toLowerCase() === only!.name.toLowerCase()) ?? fits[0];
    if (named !== undefined)
      return [
        {
          steps: { row: { kind: "tensor", field: named.name, shape: [named.size!] } },
          from: { [only!.name]: "row.values" },
          reads: [named.name],
          says: `the ${named.size} numbers of "${named.name}" as they are`,
          guess: fits.length > 1,
        },
      ];
  }
  const single = ({ shape }: TensorMetadata) => shape.length < 2 || shape[1] === 1;
  if (inputs.every(single) && !(inputs.length === 1 && inputs[0]!.shape.length === 2 && free.length > 1))
    return [
      oneInputPerColumn(
        inputs,
        scene,
        scene.columns.filter(({ name }) => name !== roles.label),
        roles,
      ),
    ];
  if (inputs.length === 1) return vectorPlans(only!, scene, roles, free);
  return [tableOf(inputs, scene, free)];
}

/** Every part's plans with every other's, not more than a dozen. */
function combined(parts: readonly InputPlan[][]): InputPlan[] {
  return parts
    .reduce<InputPlan[]>(
      (all, part) =>
        all.length === 0
          ? part
          : all.flatMap((one) =>
              part.map((other) => ({
                steps: { ...one.steps, ...other.steps },
                from: { ...one.from, ...other.from },
                reads: [...one.reads, ...other.reads],
                says: `${one.says}; ${other.says}`,
                guess: one.guess || other.guess,
              })),
            ),
      [],
    )
    .slice(0, 12);
}
