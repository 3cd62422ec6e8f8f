import { z } from "zod";
import type { Head } from "../postprocess/schema.ts";
import type { PreprocessStep } from "../preprocess/schema.ts";
import { didYouMean } from "../did-you-mean.ts";
import type { RightValue } from "./config-issues.ts";

const share = z.number().gt(0).lt(1);

/** How a long sound is cut into segments of speech that the model answers one by one. */
export const segmentSettings = z
  .strictObject({
    step: z.string().min(1).optional().describe("The audio step whose sound is cut; needed where there are several."),
    graph: z
      .strictObject({
        path: z.string().min(1).describe("Path relative to model.yaml."),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits"),
      })
      .describe("The voice-activity graph, Silero VAD of version 5 or 6: inputs `input`, `state`, `sr`."),
    on: share.default(0.5).describe("Probability of speech from which a segment begins."),
    off: share.default(0.35).describe("Probability below which it may end."),
    minSpeechMs: z.int().nonnegative().default(250).describe("Shorter speech is no segment."),
    minSilenceMs: z.int().positive().default(550).describe("A pause of this length ends a segment."),
    padMs: z.int().nonnegative().default(100).describe("What of the silence before and after belongs to a segment."),
    maxSeconds: z
      .number()
      .min(1)
      .max(120)
      .default(15)
      .describe("A longer segment is cut: in the middle of its last pause of 100 ms, or where there is none, there."),
    separator: z.string().default(" ").describe("Between the texts of two segments."),
  })
  .refine(({ on, off }) => off <= on, { error: "`off` is at most `on`", path: ["off"] });
export type SegmentSettings = z.infer<typeof segmentSettings>;

/** Rates that the voice-activity graph knows. */
const rates = [8_000, 16_000];

/** The audio step that is cut. */
export function segmentStep(
  { step }: Pick<SegmentSettings, "step">,
  preprocess: Readonly<Record<string, PreprocessStep>>,
): string | undefined {
  return step ?? Object.keys(preprocess).find((name) => preprocess[name]!.kind === "audio");
}

type Issue = { path: (string | number)[]; message: string; right?: RightValue };

/** What in `segment` does not fit the model. Paths begin at the key. */
export function segmentIssues(
  segment: SegmentSettings | undefined,
  {
    preprocess,
    postprocess,
    rules,
  }: { preprocess: Readonly<Record<string, PreprocessStep>>; postprocess: readonly Head[]; rules?: unknown },
): Issue[] {
  if (segment === undefined) return [];
  const steps = Object.keys(preprocess).filter((name) => preprocess[name]!.kind === "audio");
  const issues: Issue[] = [];
  const name = segmentStep(segment, preprocess);
  const step = name === undefined ? undefined : preprocess[name];
  if (steps.length === 0) issues.push({ path: [], message: "a sound is cut into segments, and no step reads one" });
  else if (segment.step !== undefined && !steps.includes(segment.step))
    issues.push({
      path: ["step"],
      message: `no audio step "${segment.step}"; there ${steps.length === 1 ? "is" : "are"}: ${steps.join(", ")}`,
      right: { expected: `one of ${steps.join(", ")}`, example: didYouMean(segment.step, steps) ?? steps[0] },
    });
  else if (segment.step === undefined && steps.length > 1)
    issues.push({ path: ["step"], message: `\`step\` says which of the audio steps ${steps.join(", ")} is cut` });
  if (step?.kind === "audio" && !rates.includes(step.rate))
    issues.push({
      path: ["graph"],
      message: `voice activity is found at ${rates.join(" or ")} Hz, and the step "${name}" has ${step.rate}`,
      right: { expected: `a step with rate ${rates.join(" or ")}` },
    });
  const other = postprocess.find(({ kind }) => kind !== "text");
  if (other !== undefined)
    issues.push({
      path: [],
      message: `texts of segments are joined, and the head "${other.name}" answers with ${other.kind}`,
      right: { expected: "heads of kind text alone" },
    });
  if (rules !== undefined)
    issues.push({ path: [], message: "rules change single answers, and a segment is only a part of one" });
  return issues;
}
