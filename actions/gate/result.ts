import { z } from "zod";
import { verdictWord, type VerdictFile, type VerdictWord } from "../../eval/schema/verdict.ts";
import type { CommentResult } from "../../github/sticky-comment.ts";

const reported = z.discriminatedUnion("status", [
  z.strictObject({ status: z.enum(["created", "updated"]), url: z.string() }),
  z.strictObject({ status: z.enum(["skipped", "failed"]), why: z.string() }),
]);

/** The `result` output: one line of JSON, small enough for any later step. */
export const gateResult = z.strictObject({
  schemaVersion: z.literal(1),
  verdict: verdictWord,
  reason: z.string(),
  commit: z.string().nullable(),
  baseline: z.string().nullable().describe("The commit, folder or word that candidates were compared with."),
  models: z.array(
    z.strictObject({
      id: z.string(),
      version: z.string(),
      sha256: z.string(),
      verdict: verdictWord,
      reason: z.string(),
      checks: z.int().nonnegative(),
      failed: z.array(z.string()).describe("Ids of the deciding checks that did not pass; at most 20."),
    }),
  ),
  comment: reported,
  exitCode: z.int().min(0).max(5),
});
type GateResult = z.infer<typeof gateResult>;

const wrongUsage = 2;
const maxFailed = 20;
const maxReasonLength = 300;

type ResultParts = { verdict: VerdictFile; baseline: string | null; comment: CommentResult; exitCode: number };

export function resultOf({ verdict, baseline, comment, exitCode }: ResultParts): GateResult {
  return gateResult.parse({
    schemaVersion: 1,
    verdict: verdict.verdict,
    reason: short(verdict.reason),
    commit: verdict.commit,
    baseline,
    models: verdict.models.map((one) => ({
      id: one.model.id,
      version: one.model.version,
      sha256: one.model.sha256,
      verdict: one.verdict,
      reason: short(one.reason),
      checks: one.checks.length,
      failed: one.checks
        .filter((check) => check.verdict !== "PASS" && !check.advisory)
        .slice(0, maxFailed)
        .map((check) => check.id),
    })),
    comment,
    exitCode,
  } satisfies GateResult);
}

export type ExitPolicy = { failOn: "not-pass" | "nothing"; comment: "auto" | "required" | "never" };

/**
 * The step's exit code. The verdict decides: 0 PASS, 1 FAIL, 3 INCONCLUSIVE or INCOMPARABLE, 4 ERROR. A report that
 * could not be delivered never turns a red verdict green or a green one red. The exception is `comment: required`: then
 * a PASS exits with 5, and the verdict output still says PASS. A comment that was skipped for a reason known beforehand
 * (no pull request, a fork) is not a failure.
 */
export function exitCode(
  verdict: VerdictWord,
  codeOfVerdict: number,
  comment: CommentResult,
  policy: ExitPolicy,
): number {
  if (policy.failOn === "nothing") return codeOfVerdict === wrongUsage ? wrongUsage : 0;
  if (verdict === "PASS" && policy.comment === "required" && comment.status === "failed") return 5;
  return codeOfVerdict;
}

function short(text: string): string {
  return text.length <= maxReasonLength ? text : `${text.slice(0, maxReasonLength - 1)}…`;
}
