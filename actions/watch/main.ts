import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { error as annotateError, warning } from "@actions/core";
import { exitCodeOf } from "../../eval/judge/algebra.ts";
import { authorization, originOf } from "../../predict/target.ts";
import { askToRetrain, type RetrainRequest } from "../../watch/retrain/ask.ts";
import { watchResult } from "../../watch/report/result.ts";
import { watchTargets } from "../../watch/targets.ts";
import { runWatch } from "../../watch/watch.ts";
import { readInputs } from "../runner/inputs.ts";
import { escapeWorkflowCommands } from "../runner/log.ts";
import { addSummary, output } from "../runner/results.ts";
import { connect, runStep } from "../runner/step.ts";
import { watchInputs } from "./inputs.ts";

/** Watches live models from a workflow: report in the step summary, one annotation per model that is not well. */
async function main(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const inputs = readInputs(watchInputs, env);
  const workspace = resolve(env["GITHUB_WORKSPACE"] ?? ".");
  const deps = {
    fetch,
    signal,
    now: () => new Date(),
    headersOf: (origin: string) => authorization(env, origin),
    onNote: (text: string) => warning(escapeWorkflowCommands(text)),
  };
  const targets = await watchTargets(
    { configFile: resolve(workspace, inputs.config), models: inputs.models, urls: inputs.url, stage: inputs.stage },
    originOf,
    deps,
  );
  const github = inputs.retrain ? await connect(inputs.token, env) : null;
  if (inputs.retrain && github === null) warning("no training can be started: there is no token or no repository");
  const { verdict, files } = await runWatch(
    {
      targets,
      out: resolve(workspace, inputs.out),
      state: inputs.state === "" ? null : resolve(workspace, inputs.state),
    },
    {
      ...deps,
      ...(github === null ? {} : { retrain: async (request: RetrainRequest) => askToRetrain(github, request) }),
    },
  );
  for (const { model, verdict: word, reason } of verdict.models)
    if (word !== "PASS")
      (word === "FAIL" || word === "ERROR" ? annotateError : warning)(escapeWorkflowCommands(reason), {
        title: `${model.id}: ${word}`,
      });
  await addSummary(await readFile(files.markdown, "utf8"), env);
  output("verdict", verdict.verdict, env);
  output("result", JSON.stringify(watchResult(verdict)), env);
  output("report", files.html, env);
  const code = exitCodeOf(verdict.verdict);
  if (inputs["fail-on"] === "nothing") return 0;
  return inputs["fail-on"] === "fail" && code === 3 ? 0 : code;
}

runStep(main);
