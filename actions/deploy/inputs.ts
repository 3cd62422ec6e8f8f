import { z } from "zod";
import { orNull } from "../../github/action-input.ts";

/**
 * The inputs of actions/deploy: type, default, description and validator in one place. A test compares action.yml and
 * the documentation with it.
 */
export const deployInputs = z.strictObject({
  model: z.string().min(1).prefault("").describe("Id or folder of the model."),
  environment: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, "a stage in lower case, e.g. production")
    .prefault("production")
    .describe("Stage to deploy to. The GitHub environment of the records is MODEL-STAGE."),
  space: z
    .string()
    .prefault("")
    .transform(orNull)
    .describe(
      "The Space, NS/NAME. Empty: what sluice.yaml names for the model and the stage. none: make the tree in `bundle` and deploy nothing.",
    ),
  verdict: z
    .string()
    .min(1)
    .prefault(".sluice")
    .describe("verdict.json of the gate, or a folder that is searched for the one that names the model."),
  bundle: z
    .string()
    .prefault("")
    .transform(orNull)
    .describe(
      "Folder of a Space's tree. Deployed as it is when it is there, so that staging and production get the same bytes; else the tree is written there.",
    ),
  version: z
    .string()
    .prefault("")
    .transform(orNull)
    .describe(
      "Go back to this version, which was proved in this environment before; previous: the last one before what is there now. Empty: deploy what is checked out.",
    ),
  rollout: z
    .enum(["true", "false"])
    .prefault("false")
    .transform((text) => text === "true")
    .describe(
      "Put the version beside the one that serves, as a candidate of a roll-out, instead of in its place. Takes the variable SLUICE_ROLLOUT_KEY.",
    ),
  "dry-run": z
    .enum(["true", "false"])
    .prefault("false")
    .transform((text) => text === "true")
    .describe("Print the plan and change nothing."),
  reason: z.string().prefault("").describe("Why, for the lock and the records."),
  settings: z
    .string()
    .prefault("")
    .describe("Waits, limits and tolerances as NAME=VALUE, separated by spaces or lines; docs/deploy.md lists them."),
  "working-directory": z
    .string()
    .min(1)
    .prefault(".")
    .describe("Root of the checked-out repository, relative to the workspace."),
  token: z
    .string()
    .prefault("${{ github.token }}")
    .transform(orNull)
    .describe("Token for lock, records and tags (contents: write, deployments: write)."),
  "hf-token": z
    .string()
    .prefault("")
    .transform(orNull)
    .describe(
      "Hub token with write access, where there is no trusted publisher; also for restarts. The variable HF_TOKEN does the same.",
    ),
});

/** Outputs of actions/deploy, by name. */
export const deployOutputs = {
  outcome: "live, rolled-back, failed, overtaken, unknown, refused, planned or bundled.",
  url: "Address of what serves now, as far as it was proved.",
  result: "One line of JSON with schemaVersion: what was deployed where, what became of it, and what serves now.",
  receipt: "Path of deployment.json, the receipt with its timeline; empty if it could not be written.",
} as const;
