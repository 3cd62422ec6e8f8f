import { z } from "zod";
import { gateInputs } from "../inputs.ts";

/** The inputs of actions/gate/report. */
export const reportInputs = z.strictObject({
  from: z
    .string()
    .min(1)
    .describe(
      "Folder with one sub-folder per shard, each with the verdict.json and metrics.json of a gate step; the files of an only shard may lie in the folder itself. The merged verdict.json is written into it.",
    )
    .prefault("shards"),
  shards: z
    .string()
    .regex(/^\d{1,3}$/, "a whole number")
    .prefault("0")
    .transform(Number)
    .describe("How many shards must have reported; 0: not known, for a workflow that only publishes."),
  models: z
    .string()
    .prefault("")
    .transform((text) => text.split(/[\s,"[\]]+/).filter((word) => word !== ""))
    .describe("Models that must be among them: ids or folders, as a list or as JSON."),
  evaluator: z
    .string()
    .prefault(".github/workflows .github/actions")
    .transform((text) => text.split(/[\s,]+/).filter((word) => word !== ""))
    .describe(
      "Paths that decide how a pull request is evaluated. On workflow_run: where a pull request changes one of them, nothing that its run reported is shown.",
    ),
  config: gateInputs.shape.config.describe("The configuration's path: it names the comment."),
  token: gateInputs.shape.token,
  comment: gateInputs.shape.comment,
  "fail-on": gateInputs.shape["fail-on"],
});

/** Outputs of actions/gate/report, by name. */
export const reportOutputs = {
  verdict: "The worst verdict of all shards; ERROR when one is missing.",
  result: "One line of JSON, as actions/gate writes it.",
  report: "Always empty; each shard keeps its own report.html.",
  "pull-request": "Number of the pull request that the report is for; empty where there is none.",
} as const;
