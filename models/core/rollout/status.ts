import { z } from "zod";

/** What happens next, by the evidence. WAIT: no step was begun. NEXT: this step is done. PROMOTE: all of them are. */
const rolloutActions = ["WAIT", "CONTINUE", "PAUSE", "NEXT", "PROMOTE", "ABORT", "KEEP_BASELINE"] as const;
const rolloutVerdicts = ["PASS", "FAIL", "INCONCLUSIVE"] as const;

const decision = z.object({
  action: z.enum(rolloutActions),
  verdict: z.enum(rolloutVerdicts),
  metric: z.string().nullable(),
  reason: z.string(),
});
export type RolloutDecision = z.output<typeof decision>;

const evidence = z.object({
  phase: z.enum(["shadow", "canary"]),
  metric: z.string(),
  margin: z.number(),
  differences: z
    .int()
    .describe("Pairs of a shadow; of a canary, rows of the candidate held against the live version's."),
  mean: z.number().nullable().describe("Of the differences, candidate minus live version; larger is better."),
  for: z
    .number()
    .describe("Evidence that it keeps its margin, now, as a share of what is needed on a log scale; 1 proves."),
  against: z.number().describe("The same for being worse than its margin."),
  proved: z.enum(["good", "bad"]).nullable(),
});
export type RolloutEvidence = z.output<typeof evidence>;

/** What GET /models/{id}/rollout answers. `state` is shown to a controller alone. */
export const rolloutStatus = z.object({
  schemaVersion: z.literal(1),
  rollout: z.string(),
  model: z.string(),
  instance: z.string().describe("Of this process: another one has forgotten what was not handed back to it."),
  baseline: z.object({ version: z.string() }),
  candidate: z.object({
    version: z.string(),
    state: z.enum(["loading", "ready", "refused", "closed"]),
    reason: z.string().nullable(),
  }),
  steps: z.array(z.object({ name: z.string(), share: z.number(), approve: z.boolean() })),
  step: z.int().describe("Index in `steps`; -1 before a controller has begun."),
  startedAt: z.iso.datetime().nullable(),
  stepAt: z.iso.datetime().nullable(),
  decision,
  evidence: z.array(evidence),
  rows: z.object({
    baseline: z.int(),
    candidate: z.int().describe("In this step: answered by the candidate, or compared in the shadow."),
    candidateTotal: z.int(),
  }),
  units: z.object({
    baseline: z.int(),
    candidate: z.int(),
    log10Mismatch: z.number().describe("Evidence that shares are not kept; 3 ends the roll-out."),
  }),
  shadow: z.object({ compared: z.int(), shed: z.int(), waiting: z.int() }),
  handedBack: z.object({ at: z.iso.datetime(), differences: z.int() }).nullable(),
  state: z.unknown().optional(),
});
export type RolloutStatus = z.output<typeof rolloutStatus>;

/** What a controller posts to /models/{id}/rollout. */
export const rolloutCommand = z.union([
  z.strictObject({
    rollout: z.string(),
    from: z.int().min(-1).describe("The step that the server is in."),
    step: z.int().min(0),
    state: z.unknown().optional().describe("What a GET with the key gave before the server was restarted."),
  }),
  z.strictObject({
    rollout: z.string(),
    end: z.enum(["ABORT", "KEEP_BASELINE"]),
    verdict: z.enum(["FAIL", "INCONCLUSIVE"]),
    reason: z.string().min(1).max(500),
  }),
]);
export type RolloutCommand = z.output<typeof rolloutCommand>;
