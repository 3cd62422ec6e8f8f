import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { endGroup, error as annotateError, info, setOutput, setSecret, startGroup, warning } from "@actions/core";
import { escapeWorkflowCommands } from "../gate/log.ts";
import { readInputs } from "../gate/inputs.ts";
import { runStep } from "../gate/step.ts";
import { prepareNative } from "../gate/runtime/prepare.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { readSpaceFiles } from "../../deploy/bundle/make.ts";
import { DeployFailure } from "../../deploy/hub/failure.ts";
import { deployInputs } from "./inputs.ts";
import { exitCodeOf, type DeploymentReceipt } from "../../deploy/receipt.ts";
import { runDeploy, runRollback, type SessionDeps } from "../../deploy/session.ts";
import { readSettings } from "../../deploy/hub/settings.ts";
import { renderSummary } from "../../deploy/summary.ts";

const out = ".sluice";

/**
 * A deployment as a step of a workflow.
 *
 * @returns 0 live and proved (or planned, or bundled), 1 not live, 2 refused, 4 the Hub or GitHub could not be worked
 * with before anything was changed, 5 live but not written down
 */
async function main(given: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const inputs = readInputs(deployInputs, given);
  if (inputs.model === "")
    throw new ConfigurationError({
      code: "input",
      place: "input model",
      problem: "no model is named",
      expected: "the id of a model in sluice.yaml",
      example: "model: births",
    });
  const { HF_TOKEN: hubToken, INPUT_TOKEN: _token, "INPUT_HF-TOKEN": _hubToken, ...env } = given;
  const root = resolve(env["GITHUB_WORKSPACE"] ?? ".", inputs["working-directory"]);
  const request = () => ({
    root,
    model: inputs.model,
    stage: inputs.environment,
    space: inputs.space,
    reason: inputs.reason,
    settings: readSettings(inputs.settings, "input settings"),
    hubToken: inputs["hf-token"] ?? (hubToken || null),
    githubToken: inputs.token,
    out,
  });
  const deps: SessionDeps = {
    env,
    fetch,
    random: Math.random,
    now: Date.now,
    signal,
    mask: setSecret,
    sleep: async (ms, until) => {
      await sleep(ms, undefined, until === undefined ? {} : { signal: until });
    },
    sink: {
      line: (text) => {
        info(escapeWorkflowCommands(text));
      },
      group: (title) => {
        startGroup(escapeWorkflowCommands(title));
      },
      endGroup,
    },
    spaceFiles: () => readSpaceFiles(fileURLToPath(new URL("./space", import.meta.url))),
    prepareNative: async () => {
      await prepareNative(ortDir(env), root, env);
    },
  };
  let receipt: DeploymentReceipt;
  try {
    receipt =
      inputs.version === null
        ? await runDeploy(
            { ...request(), verdict: inputs.verdict, bundle: inputs.bundle, dryRun: inputs["dry-run"] },
            deps,
          )
        : await runRollback(
            { ...request(), dryRun: inputs["dry-run"], version: inputs.version === "previous" ? null : inputs.version },
            deps,
          );
  } catch (error) {
    await summarise(
      `## ${inputs.model} → ${inputs.environment}: not deployed\n\n${(error as Error).message
        .split("\n")
        .map((line) => `    ${line}`)
        .join("\n")}\n`,
      env,
    );
    if (!(error instanceof DeployFailure)) throw error;
    annotateError(error.message, { title: error.code });
    return 1;
  }
  await tell(receipt, join(root, out, "deployment.json"), env);
  return exitCodeOf(receipt);
}

async function tell(receipt: DeploymentReceipt, path: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (receipt.outcome === "planned") for (const line of receipt.reason.split("\n")) info(escapeWorkflowCommands(line));
  const { timeline: _timeline, log: _log, ...result } = receipt;
  if (receipt.outcome === "rolled-back" || receipt.outcome === "failed")
    annotateError(receipt.reason, {
      title: `${receipt.deployed.model.id} ${receipt.deployed.model.version}: ${receipt.outcome}`,
    });
  for (const problem of receipt.notRecorded) warning(problem, { title: "not recorded" });
  await summarise(renderSummary(receipt), env);
  if (!env["GITHUB_OUTPUT"]) return;
  setOutput("outcome", receipt.outcome);
  setOutput("url", receipt.url ?? "");
  setOutput("result", JSON.stringify(result));
  setOutput("receipt", path);
}

async function summarise(markdown: string, env: NodeJS.ProcessEnv): Promise<void> {
  const path = env["GITHUB_STEP_SUMMARY"];
  if (path)
    await appendFile(path, markdown).catch((error: unknown) => {
      warning(`The step summary could not be written: ${(error as Error).message}`);
    });
}

/** A directory that the machine's owner names, or what a release of the gate action carries beside this one. */
function ortDir(env: NodeJS.ProcessEnv): string | null {
  if (env["SLUICE_ORT_DIR"]) return env["SLUICE_ORT_DIR"];
  const besideGate = fileURLToPath(new URL(`../../gate/native/${process.platform}-${process.arch}`, import.meta.url));
  return existsSync(besideGate) ? besideGate : null;
}

// Before anything could print them.
for (const name of ["INPUT_HF-TOKEN", "HF_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]) {
  const secret = process.env[name];
  if (secret) setSecret(secret);
}
runStep(main);
