import type { TensorMetadata } from "../../models/core/tensors.ts";
import { Lacking, type InputPlan, type Scene } from "./scene.ts";

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** How people scale pictures, by what training code usually does. */
const habits: readonly { says: string; scale: number; mean?: number[]; std?: number[] }[] = [
  { says: "0 to 1", scale: 1 / 255 },
  { says: "ImageNet's mean and deviation", scale: 1 / 255, ...imagenet },
  { says: "−1 to 1", scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  { says: "0 to 255", scale: 1 },
];

/** The size that a graph of pictures takes when it leaves it open, and nothing beside it says more. */
const usualSize = 224;

/**
 * The ways to prepare pictures for one input. A processor's configuration beside the model decides; without it the usual
 * scales are tried.
 *
 * @throws Lacking
 */
export function imagePlans(input: TensorMetadata, { columns, sidecar, answers }: Scene): InputPlan[] {
  const [, a, b, c] = input.shape as [unknown, number | string, number | string, number | string];
  const last = c === 1 || c === 3;
  const layout = last && a !== 1 && a !== 3 ? "hwc" : "chw";
  const channels = layout === "hwc" ? c : a;
  if (typeof channels === "number" && channels !== 1 && channels !== 3)
    throw new Lacking([
      `the input ${input.name} takes [${input.shape.join(", ")}]: ${channels} channels, and a picture has 1 or 3`,
    ]);
  const [height, width] = layout === "hwc" ? [a, b] : [b, c];
  const column =
    answers.image === undefined
      ? columns.find(({ kind }) => kind === "image")
      : columns.find(({ name }) => name === answers.image);
  if (column === undefined)
    throw new Lacking([
      `the input ${input.name} takes a picture, and the data has none: name a folder with a sub-folder of pictures per class, or a column of base64 pictures with --image COLUMN`,
    ]);
  const gray = channels === 1;
  const facts = sidecar.image;
  const size = {
    width: typeof width === "number" ? width : (facts?.width ?? usualSize),
    height: typeof height === "number" ? height : (facts?.height ?? usualSize),
  };
  const open = typeof width !== "number" && facts === null;
  const plan = (says: string, scale: number, mean?: number[], std?: number[], more: object = {}): InputPlan => {
    const ofChannels = (list: number[]) => (gray ? [list.reduce((sum, one) => sum + one, 0) / list.length] : list);
    return {
      steps: {
        picture: {
          kind: "image",
          field: column.name,
          resize: size,
          ...(gray ? { channels: "gray" } : {}),
          ...(layout === "hwc" ? { layout } : {}),
          ...(scale === 1 / 255 ? {} : { scale }),
          ...(mean === undefined || std === undefined
            ? gray
              ? { mean: [0], std: [1] }
              : {}
            : { mean: ofChannels(mean), std: ofChannels(std) }),
          ...more,
        },
      },
      from: { [input.name]: "picture.pixels" },
      reads: [column.name],
      says: `pictures of ${size.width} × ${size.height}, ${says}`,
      guess: facts === null || open,
    };
  };
  if (facts !== null)
    return [
      plan(
        "as preprocessor_config.json says",
        facts.scale,
        facts.mean,
        facts.std,
        facts.crop === null ? {} : { centerCrop: facts.crop },
      ),
    ];
  const usual = habits.map(({ says, scale, mean, std }) => plan(says, scale, mean, std));
  return gray
    ? usual
    : [
        ...usual,
        ...habits.map(({ says, scale, mean, std }) =>
          plan(`${says}, blue first`, scale, mean, std, { channels: "bgr" }),
        ),
      ];
}
