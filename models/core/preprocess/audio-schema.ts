import { z } from "zod";

const logMel = z.strictObject({
  fft: z.int().min(16).max(16_384).default(400).describe("Samples of a frame, under a periodic Hann window."),
  hop: z.int().positive().default(160).describe("Samples from one frame to the next."),
  mels: z.int().positive().max(512).default(80).describe("Bands."),
  low: z.number().nonnegative().default(0).describe("Lower end of the lowest band, in Hz."),
  high: z.number().positive().optional().describe("Upper end of the highest band, in Hz. Default: half the rate."),
  scale: z
    .enum(["whisper", "log10", "ln"])
    .default("whisper")
    .describe("whisper: log10, cut 8 below the clip's maximum, then (x + 4) / 4. log10, ln: the logarithm alone."),
});

/**
 * An encoded sound → its samples, or a spectrogram of them. Outputs: `samples` [length], `mask` [length] (1 where the
 * sound is, 0 where it is padded), `length` [] in samples, and with `logMel` `features` [mels, frames].
 */
export const audioStep = z.strictObject({
  kind: z.literal("audio"),
  field: z
    .string()
    .min(1)
    .default("audio")
    .describe("Row field: the bytes of a sound file, as base64, a data: URL or raw bytes."),
  rate: z.int().min(4_000).max(48_000).default(16_000).describe("Samples a second that the graph takes."),
  maxBytes: z.int().positive().default(20_000_000).describe("A larger file is refused."),
  maxSeconds: z.number().positive().default(600).describe("A longer sound is refused, never silently cut."),
  minSeconds: z.number().nonnegative().default(0).describe("A shorter sound is followed by silence up to here."),
  padTo: z
    .union([z.literal("longest"), z.number().positive()])
    .default("longest")
    .describe("Pad with silence to the longest row of a batch, or always to this many seconds."),
  longer: z
    .enum(["reject", "cut"])
    .default("reject")
    .describe(
      "What becomes of a sound longer than the seconds of `padTo`: the row is refused, or its beginning is used.",
    ),
  standardize: z
    .boolean()
    .default(false)
    .describe("Subtract a row's mean and divide by its standard deviation, as wav2vec 2.0 asks for."),
  logMel: logMel.optional(),
});
export type AudioStep = z.infer<typeof audioStep>;
