import { z } from "zod";
import { parseJsonFile } from "./json-file.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const source = z.strictObject({ repository: z.string().nullable(), commit: z.string().nullable() });
const verdict = z.strictObject({ verdict: z.literal("PASS"), sha256: sha256.describe("Of verdict.json's bytes.") });
const model = z.strictObject({
  id: z.string(),
  version: z.string(),
  task: z.string(),
  sha256,
  rules: z
    .strictObject({ version: z.string(), sha256 })
    .optional()
    .describe("The rules beside the model; absent without any."),
});

/**
 * deployment.json of a Space's tree: which model, version and commit it is. It contains no time and no Space's name, so
 * that staging and production get the same bytes.
 */
export const deployedSchema = z.strictObject({
  schemaVersion: z.literal(1),
  model,
  source,
  verdict,
  server: z.strictObject({ version: z.string() }),
  weights: z
    .strictObject({
      hub: z.string().describe("ORG/REPO@COMMIT/FILE of the ONNX file; external data lies beside it."),
      bytes: z.int().describe("All of them together."),
    })
    .optional()
    .describe(
      "Weights that are too large for the Space and lie in a model repository; the server fetches and verifies them at its start.",
    ),
  rollout: z
    .strictObject({ id: z.string(), candidate: z.strictObject({ model, source, verdict }) })
    .optional()
    .describe("A candidate that is rolled out beside the model; absent without one."),
  files: z.record(z.string(), sha256).describe("Every other file of the tree."),
});
export type Deployed = z.infer<typeof deployedSchema>;

const reasonsSchema = z.array(
  z.union([
    z.strictObject({ rule: z.string(), reason: z.string().optional() }),
    z.strictObject({
      feature: z.string(),
      value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
      contribution: z.number(),
    }),
  ]),
);

/** golden.json: rows, and the model's answers to them on the machine where the tree was made. */
export const goldenSchema = z.strictObject({
  schemaVersion: z.literal(1),
  machine: z.strictObject({ cpu: z.string(), onnxruntime: z.string() }),
  rows: z
    .array(
      z.strictObject({
        row: z.record(z.string(), z.unknown()),
        heads: z.record(z.string(), z.record(z.string(), z.unknown())),
        reasons: reasonsSchema.optional().describe("Of the rules that fired, and of features; absent without either."),
      }),
    )
    .min(1),
});
export type Golden = z.infer<typeof goldenSchema>;

/** What a revision is proved by. `treeDigest`: of deployment.json, as the app's answers name it. */
export type Expected = { deployed: Deployed; golden: Golden; treeDigest: string; candidate?: GoldenCandidate };

/** A candidate beside the deployed version, with the key that asks for its answers. */
export type GoldenCandidate = { golden: Golden; version: string; key: string };

export const DEPLOYED_FILE = "deployment.json";
export const GOLDEN_FILE = "golden.json";

/** @throws ConfigurationError when the bytes are not such a file */
export const parseTreeFile = <Schema extends z.ZodType>(schema: Schema, bytes: Uint8Array, place: string) =>
  parseJsonFile(schema, bytes, place, {
    code: "tree-file",
    origin: "a file that `sluice deploy --bundle` wrote",
    mismatch: "the file is not what it should be",
    schema: "another value",
    hint: "make the tree again with `sluice deploy MODEL --bundle DIR`",
  });
