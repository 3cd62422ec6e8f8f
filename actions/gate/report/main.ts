import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { error as annotateError, warning } from "@actions/core";
import { exitCodeOf } from "../../../eval/judge/algebra.ts";
import { mergeShards, type Shard } from "../../../eval/shards/merge.ts";
import { readShards } from "../../../eval/shards/read.ts";
import { changedPaths } from "../../../github/commits.ts";
import { commentMarker } from "../../../github/sticky-comment.ts";
import { EvaluationError } from "../../../models/core/errors.ts";
import { annotate } from "../../runner/annotate.ts";
import { readInputs } from "../../runner/inputs.ts";
import { output } from "../../runner/results.ts";
import { readWorkflowEvent, runStep, withoutToken } from "../../runner/step.ts";
import { connection } from "../connection.ts";
import { deliver } from "../deliver.ts";
import { reportInputs } from "./inputs.ts";
import { findTarget } from "./target.ts";

/** Makes one verdict, one comment and one job conclusion from the results of a matrix's shards. */
async function main(given: NodeJS.ProcessEnv): Promise<number> {
  const inputs = readInputs(reportInputs, given);
  const env = withoutToken(given);
  const github = connection(inputs.token, env);
  const { name, payload, sha, ref } = await readWorkflowEvent(env);
  const target = await findTarget(name, payload, { sha, ref }, github);
  // A pull request's run uses the workflows of the pull request itself. A pull request that changes them can therefore
  // produce any verdict. Check that before trusting anything from the run. If GitHub cannot be asked, the step fails.
  const api = target.foreign === null ? null : await github();
  const changed =
    target.foreign === null || api === null
      ? []
      : await changedPaths(api, { ...target.foreign, paths: inputs.evaluator });
  const refusal = changed.length === 0 ? null : refusalOf(changed);
  if (refusal !== null) annotateError(refusal, { title: "not shown" });
  output("pull-request", String(target.pullRequest?.number ?? ""), env);
  const from = resolve(env["GITHUB_WORKSPACE"] ?? ".", inputs.from);
  const shards =
    refusal !== null
      ? []
      : await readShards(from).catch((error: unknown): Shard[] => {
          if (!(error instanceof EvaluationError)) throw error;
          annotate(error);
          return [];
        });
  const merged = mergeShards(shards, { ...inputs, refusal }, new Date());
  // Written for later steps, such as the card. A full disk does not change the verdict.
  await writeMerged(from, `${JSON.stringify(merged.verdict, null, 2)}\n`).catch((error: unknown) => {
    warning(`The merged verdict.json could not be written: ${String(error)}`);
  });
  return deliver(
    {
      ...merged,
      html: "",
      baseline: null,
      marker: commentMarker(inputs.config, []),
      prefix: "",
      pullRequest: target.pullRequest,
      silence: target.silence,
      policy: { failOn: inputs["fail-on"], comment: inputs.comment },
      codeOfVerdict: exitCodeOf(merged.verdict.verdict),
      annotate: false,
    },
    { env, github },
  );
}

function refusalOf(paths: readonly string[]): string {
  return `the pull request changes ${paths.join(" and ")}, by which it was evaluated: nothing that its run reported is shown, and its checks prove nothing; read that change first`;
}

/**
 * The folder may hold a stranger's files, including a link to another file. So an existing verdict.json is removed,
 * never written through.
 */
async function writeMerged(from: string, text: string): Promise<void> {
  const path = join(from, "verdict.json");
  await mkdir(from, { recursive: true });
  await rm(path, { recursive: true, force: true });
  await writeFile(path, text, { flag: "wx" });
}

runStep(main);
