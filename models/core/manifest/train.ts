import { z } from "zod";
import { datasetFile } from "./dataset-file.ts";

/** How a model is trained again: what `sluice retrain` runs, with which limits, and from what. */
export const trainSettings = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      "Program and arguments, one word each, run in the model's folder without a shell, e.g. [python3, train/train.py].",
    ),
  data: z
    .array(datasetFile)
    .min(1)
    .describe(
      "What it learns from: files of rows under the names that the model's own rows have. New data here makes a training due. No row of it may be a row of the dataset.",
    ),
  rowKey: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      "Fields that tell whether two rows are the same; default: every field that the model reads. Name them where the training data has another form, e.g. [date].",
    ),
  timeoutMinutes: z.number().positive().max(350).default(60).describe("After this it is killed."),
  memoryMb: z
    .int()
    .positive()
    .default(6144)
    .describe("Resident memory of all its processes together; above it they are killed."),
  bump: z
    .enum(["patch", "minor", "major"])
    .default("patch")
    .describe("Which part of the version the candidate raises."),
});
export type TrainSettings = z.infer<typeof trainSettings>;
