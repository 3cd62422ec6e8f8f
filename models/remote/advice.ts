import { z } from "zod";

/** Languages that eval/advice/language.ts recognises by their function words. */
export const adviceLanguages = ["de", "en", "es", "fr", "it", "nl", "pt"] as const;
export type AdviceLanguage = (typeof adviceLanguages)[number];

const atLeast = z
  .number()
  .gt(0)
  .max(1)
  .describe(
    "Share of the prompts that should keep the check. It holds where the whole interval of the measured share lies at or above it.",
  );

export const adviceCheck = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: z.literal("length"),
      atLeast,
      unit: z.enum(["words", "characters"]).default("words"),
      min: z.int().nonnegative().optional(),
      max: z.int().positive().optional(),
    })
    .describe("An answer that is neither too short nor too long, and was not cut at its token limit."),
  z
    .strictObject({ kind: z.literal("language"), atLeast, language: z.enum(adviceLanguages) })
    .describe("An answer in this language, recognised by its function words."),
  z
    .strictObject({
      kind: z.literal("mentions"),
      atLeast,
      field: z
        .string()
        .min(1)
        .default("mentions")
        .describe(
          "Field of a prompt's row with words, or beginnings of words, of which the answer should have one. Prompts without any are left out.",
        ),
    })
    .describe("An answer that takes up what it was asked about."),
  z
    .strictObject({
      kind: z.literal("refusals"),
      atLeast,
      also: z
        .array(z.string().min(1))
        .default([])
        .describe("Further phrases that no answer should have, e.g. <think>."),
    })
    .describe("An answer without the phrases by which language models decline."),
  z
    .strictObject({
      kind: z.literal("time"),
      atLeast,
      of: z.enum(["answer", "first-words"]).default("answer"),
      maxMs: z.int().positive(),
    })
    .describe(
      "An answer, or its first words, in time; retries and waiting for a turn included. No answer is never in time.",
    ),
]);
export type AdviceCheck = z.infer<typeof adviceCheck>;

export const advice = z
  .strictObject({
    prompts: z
      .string()
      .min(1)
      .describe(
        "JSON Lines file relative to model.yaml: rows of the model, each with an `id`, and what the checks need besides.",
      ),
    level: z.number().gt(0).lt(1).default(0.9).describe("Two-sided level of the shares' intervals."),
    checks: z.array(adviceCheck).min(1),
  })
  .superRefine((value, context) =>
    value.checks.forEach((check, i) => {
      if (check.kind !== "length") return;
      if (check.min === undefined && check.max === undefined)
        context.addIssue({ code: "custom", path: ["checks", i], message: "a length needs `min` or `max`" });
      if (check.min !== undefined && check.max !== undefined && check.min > check.max)
        context.addIssue({ code: "custom", path: ["checks", i, "min"], message: "`min` is larger than `max`" });
    }),
  )
  .describe(
    "What `sluice gate` asks the model and looks at. Advisory: it is reported and decides nothing, because the same model may answer differently tomorrow.",
  );
