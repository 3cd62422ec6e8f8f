import { resolve } from "node:path";
import { info } from "@actions/core";
import { readConfiguration } from "../../../eval/gate.ts";
import { resolveReference } from "../../../eval/gate/baseline.ts";
import { gitIn } from "../../../eval/gate/git.ts";
import { hadArtifact } from "../../../eval/gate/forbid-backend-switch.ts";
import { output } from "../deliver.ts";
import { readEvent } from "../event.ts";
import { readInputs } from "../inputs.ts";
import { escapeWorkflowCommands } from "../log.ts";
import { prepareReferences } from "../prepare.ts";
import { connect, eventPayload, once, runStep, withoutToken } from "../step.ts";
import { changedFiles, changedModels } from "./changed.ts";
import { candidateName, isJudged } from "./candidate.ts";
import { changedInputs } from "./inputs.ts";

/** Lists the models that a change touches, so that a matrix gates only those. */
async function main(given: NodeJS.ProcessEnv): Promise<number> {
  const inputs = readInputs(changedInputs, given);
  const env = withoutToken(given);
  const root = resolve(env["GITHUB_WORKSPACE"] ?? ".", inputs["working-directory"]);
  const listed = (await readConfiguration(resolve(root, inputs.config))).models;
  const situation = readEvent(
    env["GITHUB_EVENT_NAME"] ?? "",
    await eventPayload(env),
    env["GITHUB_SHA"] ?? "",
    env["GITHUB_REF"] ?? "",
  );
  const github = once(() => connect(inputs.token, env));
  const { baseline } = await prepareReferences(inputs.baseline, situation, root, inputs.token, {
    env,
    github,
    note: log,
  });
  const git = gitIn(root, env);
  const at = typeof baseline === "object" && "ref" in baseline ? await resolveReference(baseline, git) : null;
  // What had an artifact at the baseline stays in the matrix, whatever it says of itself now: its gate then refuses it.
  const judged = await Promise.all(
    listed.map(
      async (model) =>
        (await isJudged(resolve(root, model))) ||
        (at !== null && (await hadArtifact(at, resolve(root, model), root, git))),
    ),
  );
  const models = listed.filter((_, i) => judged[i]);
  if (models.length < listed.length)
    log(`not judged, because a remote provider answers for them: ${listed.filter((_, i) => !judged[i]).join(", ")}`);
  // No commit to compare with: whatever is there is new.
  const touched =
    typeof baseline === "object" && "ref" in baseline
      ? changedModels(await changedFiles(baseline.ref, git), models, [inputs.config, ...inputs.always])
      : { models, because: "there is no commit to compare with" };
  log(`${touched.because}: ${touched.models.length === 0 ? "no model" : touched.models.join(", ")}`);
  output("models", JSON.stringify(touched.models), env);
  output(
    "candidates",
    (await Promise.all(touched.models.map((model) => candidateName(resolve(root, model))))).join(" "),
    env,
  );
  output("any", String(touched.models.length > 0), env);
  return 0;
}

function log(line: string): void {
  info(escapeWorkflowCommands(line));
}

runStep(main);
