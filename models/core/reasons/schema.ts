import { z } from "zod";

/** Reasons that are computed from the model itself. */
export const modelReasons = z.strictObject({
  kind: z
    .literal("tree-paths")
    .describe("What each feature adds along the decision paths of the graph's TreeEnsembleRegressor (Saabas 2014)."),
  head: z.string().optional().describe("Whose answers get reasons; needed only when the model has several heads."),
  top: z.int().min(1).max(20).default(3).describe("So many features are named, those that add or take most."),
  answers: z
    .enum(["positive", "all"])
    .default("positive")
    .describe("Which answers get them: those with the positive one of two labels, after the rules, or all."),
});
export type ModelReasons = z.infer<typeof modelReasons>;
