import { resolve } from "node:path";
import { readConfiguration } from "../../../eval/gate/configuration-file.ts";
import { candidateName, modelsToGate } from "../../../eval/gate/changed-models.ts";
import { readEvent } from "../../../eval/gate/event.ts";
import { gitIn } from "../../../eval/gate/git.ts";
import { prepareReferences } from "../../../eval/gate/references.ts";
import { readInputs } from "../../runner/inputs.ts";
import { logLine } from "../../runner/log.ts";
import { output } from "../../runner/results.ts";
import { readWorkflowEvent, runStep, withoutToken } from "../../runner/step.ts";
import { connection, referenceDeps } from "../connection.ts";
import { changedInputs } from "./inputs.ts";

/** Lists the models that a change touches, so that a matrix gates only these. */
async function main(given: NodeJS.ProcessEnv): Promise<number> {
  const inputs = readInputs(changedInputs, given);
  const env = withoutToken(given);
  const root = resolve(env["GITHUB_WORKSPACE"] ?? ".", inputs["working-directory"]);
  const configuration = await readConfiguration(resolve(root, inputs.config));
  const event = await readWorkflowEvent(env);
  const situation = readEvent(event.name, event.payload, event.sha, event.ref);
  const deps = referenceDeps(connection(inputs.token, env), inputs.token, env);
  const { baseline } = await prepareReferences(inputs.baseline, situation, root, deps);
  const { models, unjudged, because } = await modelsToGate(
    configuration,
    inputs.config,
    inputs.always,
    baseline,
    root,
    gitIn(root, env),
  );
  if (unjudged.length > 0) logLine(`not judged, because a remote provider answers for them: ${unjudged.join(", ")}`);
  logLine(`${because}: ${models.length === 0 ? "no model" : models.join(", ")}`);
  const candidates = await Promise.all(models.map((model) => candidateName(resolve(root, model))));
  output("models", JSON.stringify(models), env);
  output("candidates", candidates.join(" "), env);
  output("any", String(models.length > 0), env);
  return 0;
}

runStep(main);
