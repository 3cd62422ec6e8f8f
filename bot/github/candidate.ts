import type { ModelVerdict } from "../../eval/schema/verdict.ts";
import { statusOf } from "../../github/api.ts";
import { digestOf, type ReleaseRecord } from "../../github/registry/release.ts";
import type { BotConfiguration } from "../config/config.ts";
import type { GitHub } from "./github.ts";
import type { Verdicts } from "./verdicts.ts";

type EvidenceDeps = { github: GitHub; bot: BotConfiguration; verdicts: Verdicts };

/** What is known of a commit or a release that would be deployed. */
export type Evidence = {
  /** sha256 of the evidence: the release's receipt, or the gate's report artifacts. */
  digest: string;
  /** PASS, another verdict, the conclusion of the gate's run, "no gate run" or "commit unknown". */
  verdict: string;
  passed: boolean;
  source: string;
  url: string | null;
  /** What the gate's file says of the model; null if it cannot be read. For people to read. */
  judged: ModelVerdict | null;
  /** The record in the release's tag; null for a commit. */
  receipt: ReleaseRecord | null;
};

/** What would be deployed: a commit, and the evidence for it. */
export type Candidate = Evidence & {
  model: string;
  /** null for the branch's newest commit, whose model.yaml says the version. */
  version: string | null;
  sha: string;
};

/**
 * The evidence for one commit: its latest gate run, the digests of that run's reports, and what they say of the model.
 *
 * @param model null if it is not known; then the run's conclusion alone decides
 */
export async function evidenceFor(
  { github, bot, verdicts }: EvidenceDeps,
  sha: string,
  model: string | null,
): Promise<Evidence> {
  const runs = await github.runs({ file: bot.github.gate, sha, count: 20 }).catch((error: unknown) => {
    // There is no such workflow, so no run of it either.
    if (statusOf(error) === 404) return [];
    throw error;
  });
  // A fork's run uses the fork's own workflow file and may claim anything.
  // A run that was skipped judged nothing: only the pull request's title changed.
  const run = runs.find(({ fork, conclusion }) => !fork && conclusion !== "skipped");
  if (run === undefined)
    return {
      digest: digestOf(["no evidence", sha]),
      verdict: "no gate run",
      passed: false,
      source: `no ${bot.github.gate} run at ${sha.slice(0, 7)}`,
      url: null,
      judged: null,
      receipt: null,
    };
  const green = run.status === "completed" && run.conclusion === "success";
  const artifacts = (await github.artifacts(run.id)).filter(({ name }) => name.startsWith(bot.github.artifact));
  const digests = artifacts.filter(({ digest }) => digest !== "").map(({ name, digest }) => `${name}=${digest}`);
  const judged =
    run.status === "completed" && model !== null
      ? ((await verdicts.in(artifacts)).find((one) => one.model.id === model) ?? null)
      : null;
  // The files of a run can only take a green away: what a run uploaded never makes one.
  const passed = green && (judged === null || judged.verdict === "PASS");
  return {
    digest:
      digests.length === 0
        ? digestOf(["run", String(run.id), run.conclusion ?? run.status])
        : digestOf(digests.toSorted()),
    verdict: passed ? "PASS" : green ? (judged?.verdict ?? "no verdict") : (run.conclusion ?? run.status).toUpperCase(),
    passed,
    source: digests.length === 0 ? `gate run ${run.id}, without reports` : `gate run ${run.id}`,
    url: run.url,
    judged,
    receipt: null,
  };
}

/** The evidence for the newest commit of the branch, or for a version. @returns null for a version without a tag */
export async function candidateOf(
  deps: EvidenceDeps,
  model: string,
  version: string | null,
): Promise<Candidate | null> {
  const { github, bot } = deps;
  if (version === null) {
    const sha = await github.head(bot.branch);
    return { model, version, sha, ...(await evidenceFor(deps, sha, model)) };
  }
  const tag = (await github.tags(model)).find((one) => one.version === version);
  if (tag === undefined) return null;
  const { sha, receipt, name } = await github.release(tag);
  const right = receipt !== null && receipt.model === model && receipt.version === version;
  return {
    model,
    version,
    sha,
    digest: receipt?.digest ?? digestOf(["no receipt", tag.tagSha]),
    verdict: right ? (receipt.verdict ?? "no verdict") : "no receipt",
    passed: right && receipt.verdict === "PASS",
    source: `receipt of ${name}`,
    url: null,
    judged: null,
    receipt,
  };
}
