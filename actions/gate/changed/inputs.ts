import { z } from "zod";
import { gateInputs } from "../inputs.ts";

/** The inputs of actions/gate/changed. */
export const changedInputs = z.strictObject({
  config: gateInputs.shape.config,
  "working-directory": gateInputs.shape["working-directory"],
  baseline: z
    .string()
    .min(1)
    .prefault("auto")
    .describe("What the checked-out files are compared with: auto (as the gate finds its baseline) or a git ref."),
  always: z
    .string()
    .prefault("")
    .transform((text) => text.split(/\s+/).filter((path) => path !== ""))
    .describe(
      "Paths, one per line; a change under any of them changes every model. The configuration file is always one of them.",
    ),
  token: gateInputs.shape.token,
});

/** Outputs of actions/gate/changed, by name. */
export const changedOutputs = {
  models: "JSON list of the models whose files changed, as the configuration names them, for a matrix.",
  candidates:
    "The same models as ID@VERSION, separated by spaces, for what tells about them; read from files that anybody may have written, so never for a script.",
  any: "true when there is at least one.",
} as const;
