import { z } from "zod";

const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** $inference_request. Some clients send null for what they leave out. `data` is absent for an input that is sent as binary data. */
export const inferenceRequest = z.object({
  id: z.string().max(1024).nullish(),
  parameters: parameters.nullish(),
  inputs: z
    .array(
      z.object({
        name: z.string(),
        shape: z.array(z.int().min(0)).max(16),
        datatype: z.string(),
        parameters: parameters.nullish(),
        data: z.unknown().optional(),
      }),
    )
    .min(1)
    .max(256),
  outputs: z
    .array(z.object({ name: z.string(), parameters: parameters.nullish() }))
    .max(256)
    .nullish(),
});

export type InferenceRequest = z.infer<typeof inferenceRequest>;
