import { z } from "zod";
import { isTrue, namesIn, orNull } from "../../github/action-input.ts";

/**
 * The inputs of actions/gate: type, default, description and validator in one place. A test compares action.yml and the
 * table in docs/actions-gate.md with it. The runner passes every input as text.
 */
export const gateInputs = z.strictObject({
  models: z
    .string()
    .prefault("")
    .transform(namesIn)
    .describe(
      "Ids or folders of the models to gate, separated by commas, spaces or lines. Empty: every model that the configuration names.",
    ),
  config: z.string().min(1).prefault("sluice.yaml").describe("The configuration, relative to working-directory."),
  "working-directory": z
    .string()
    .min(1)
    .prefault(".")
    .describe("Root of the checked-out repository, relative to the workspace."),
  baseline: z
    .string()
    .min(1)
    .prefault("auto")
    .describe(
      "What candidates are compared with: auto (the version that production served last, else the base's production version), a git ref, a folder, or none.",
    ),
  out: z
    .string()
    .min(1)
    .prefault(".sluice")
    .describe("Folder for verdict.json, metrics.json, report.md and report.html, relative to working-directory."),
  provider: z
    .enum(["manifest", "cpu", "cuda", "webgpu"])
    .prefault("manifest")
    .transform((word) => (word === "manifest" ? null : word))
    .describe("Execution provider; manifest: what model.yaml names. Fails when the provider is not really used."),
  performance: z
    .enum(["true", "false"])
    .prefault("true")
    .transform(isTrue)
    .describe("Measure latency, throughput, cold start and memory too."),
  seed: z
    .string()
    .regex(/^\d{1,9}$/, "a whole number")
    .prefault("1")
    .transform(Number)
    .describe("Seed of everything that is drawn at random."),
  token: z
    .string()
    .prefault("${{ github.token }}")
    .transform(orNull)
    .describe(
      "Token for the comment (pull-requests: write) and, in a shallow clone, for finding the merge base (contents: read).",
    ),
  comment: z
    .enum(["auto", "required", "never"])
    .prefault("auto")
    .describe(
      "Keep one sticky comment on the pull request. auto: a comment that cannot be posted is a warning; required: it fails the step with exit code 5 when the verdict is PASS; never: none.",
    ),
  "fail-on": z
    .enum(["not-pass", "nothing"])
    .prefault("not-pass")
    .describe(
      "not-pass: only PASS is green. nothing: report without deciding, for trying the gate out; wrong usage still fails.",
    ),
  "ort-dir": z
    .string()
    .prefault("")
    .transform(orNull)
    .describe("Directory with a pre-installed native ONNX Runtime, for GPU machines and machines without a network."),
});
export type GateInputs = z.infer<typeof gateInputs>;

/** Outputs of actions/gate, by name. */
export const gateOutputs = {
  verdict: "PASS, FAIL, INCONCLUSIVE, INCOMPARABLE or ERROR.",
  result:
    "One line of JSON with schemaVersion: the verdict, each model's verdict and failed checks, and what was reported where.",
  report: "Path of report.html, self-contained; empty when it could not be written.",
} as const;
