import type { BotConfiguration } from "../config/config.ts";
import { digestOf } from "../../github/registry/release.ts";
import type { GitHub } from "./github.ts";

/** What would be deployed: a commit, and the gate's report on it. */
export type Candidate = {
  model: string;
  /** null for the branch's newest commit, whose model.yaml says the version. */
  version: string | null;
  sha: string;
  /** sha256 of the evidence: the release's receipt, or the gate's report artifacts. */
  digest: string;
  /** PASS, another verdict, the conclusion of the gate's run, or "no gate run". */
  verdict: string;
  passed: boolean;
  source: string;
  url: string | null;
};

/** The evidence for one commit: its latest gate run and the digests of that run's reports. */
export async function evidenceFor(
  github: GitHub,
  bot: BotConfiguration,
  sha: string,
): Promise<Pick<Candidate, "digest" | "verdict" | "passed" | "source" | "url">> {
  // A fork's run uses the fork's own workflow file and may claim anything.
  const run = (await github.runs({ file: bot.github.gate, sha, count: 20 })).find(({ fork }) => !fork);
  if (run === undefined)
    return {
      digest: digestOf(["no evidence", sha]),
      verdict: "no gate run",
      passed: false,
      source: `no ${bot.github.gate} run at ${sha.slice(0, 7)}`,
      url: null,
    };
  const passed = run.status === "completed" && run.conclusion === "success";
  const reports = await github.reportDigest(run.id, bot.github.artifact);
  return {
    digest: reports ?? digestOf(["run", String(run.id), run.conclusion ?? run.status]),
    verdict: passed ? "PASS" : (run.conclusion ?? run.status).toUpperCase(),
    passed,
    source: reports === null ? `gate run ${run.id}, without reports` : `gate run ${run.id}`,
    url: run.url,
  };
}

/** @returns null for a version that was never tagged */
export async function candidateOf(
  github: GitHub,
  bot: BotConfiguration,
  model: string,
  version: string | null,
): Promise<Candidate | null> {
  if (version === null) {
    const sha = await github.head(bot.branch);
    return { model, version, sha, ...(await evidenceFor(github, bot, sha)) };
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
  };
}
