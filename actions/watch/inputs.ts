import { z } from "zod";
import { isTrue, namesIn, orNull } from "../../github/action-input.ts";

/** The inputs of actions/watch: type, default, description and validator in one place. */
export const watchInputs = z.strictObject({
  models: z
    .string()
    .prefault("")
    .transform(namesIn)
    .describe(
      "Ids of the models to watch. Empty: all that the servers have, or that the configuration has a Space for.",
    ),
  url: z
    .string()
    .prefault("")
    .transform(namesIn)
    .describe(
      "NS/NAME of a Space or an http(s) URL; several for replicas. Empty: each model's Space in the configuration.",
    ),
  stage: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, "a stage, e.g. production")
    .prefault("production")
    .describe("Without url: the stage whose Spaces are watched."),
  config: z.string().min(1).prefault("sluice.yaml").describe("The configuration, relative to the workspace."),
  state: z
    .string()
    .prefault("")
    .describe("File that keeps the counts between runs, relative to the workspace. Empty: none are kept."),
  out: z
    .string()
    .min(1)
    .prefault(".sluice/watch")
    .describe("Folder for verdict.json, report.md and report.html, relative to the workspace."),
  retrain: z
    .enum(["true", "false"])
    .prefault("false")
    .transform(isTrue)
    .describe(
      "Start the training (repository_dispatch sluice-retrain) of a model with `train` whose answers or figures drifted: once, and again after a week while it stands.",
    ),
  token: z
    .string()
    .prefault("${{ github.token }}")
    .transform(orNull)
    .describe("For retrain: a token with contents: write."),
  "fail-on": z
    .enum(["not-pass", "fail", "nothing"])
    .prefault("not-pass")
    .describe(
      "not-pass: only PASS is green. fail: FAIL and ERROR are red, too little data is not. nothing: report without deciding; wrong usage still fails.",
    ),
});

/** Outputs of actions/watch, by name. */
export const watchOutputs = {
  verdict: "The worst verdict of all models.",
  result:
    "One line of JSON with schemaVersion: verdict and reason, per model its verdict, reason and the ids of the checks that decided against it.",
  report: "Path of report.html.",
} as const;
