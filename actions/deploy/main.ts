import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { endGroup, error as annotateError, setSecret, startGroup, warning } from "@actions/core";
import { readInputs } from "../runner/inputs.ts";
import { escapeWorkflowCommands, logLine } from "../runner/log.ts";
import { addSummary, output } from "../runner/results.ts";
import { runStep } from "../runner/step.ts";
import { prepareNative } from "../runner/runtime/prepare.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { readSpaceFiles } from "../../deploy/bundle/make.ts";
import { DeployFailure } from "../../deploy/hub/failure.ts";
import { HttpRefusal, NoAnswer } from "../../deploy/hub/http.ts";
import { deployInputs } from "./inputs.ts";
import { exitCodeOf } from "../../deploy/receipt.ts";
import { receiptFile, runDeploy, runRollback, type SessionDeps, type Written } from "../../deploy/session.ts";
import { readSettings } from "../../deploy/hub/settings.ts";
import { renderSummary } from "../../deploy/summary.ts";

const out = ".sluice";

/**
 * A deployment as a step of a workflow.
 *
 * @returns 0 live and proved (or planned, or bundled), 1 not live, 2 refused, 3 nobody knows what serves, 4 the Hub or
 * GitHub failed before anything was changed, 5 live but not written down everywhere
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
    monotonic: () => performance.now(),
    signal,
    mask: setSecret,
    sleep: async (ms, until) => {
      await sleep(ms, undefined, until === undefined ? {} : { signal: until });
    },
    sink: {
      line: logLine,
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
  const receiptPath = receiptFile({ root, out });
  let done: Written;
  try {
    // A receipt of an earlier step says nothing about this one.
    await rm(receiptPath, { force: true }).catch(() => {});
    done =
      inputs.version === null
        ? await runDeploy(
            {
              ...request(),
              verdict: inputs.verdict,
              bundle: inputs.bundle,
              dryRun: inputs["dry-run"],
              rollout: inputs.rollout ? { key: env["SLUICE_ROLLOUT_KEY"] || null, beside: null } : null,
            },
            deps,
          )
        : await runRollback(
            { ...request(), dryRun: inputs["dry-run"], version: inputs.version === "previous" ? null : inputs.version },
            deps,
          );
  } catch (error) {
    await addSummary(
      `## ${inputs.model} → ${inputs.environment}: not deployed\n\n${(error as Error).message
        .split("\n")
        .map((line) => `    ${line}`)
        .join("\n")}\n`,
      env,
    );
    setIfPossible("outcome", "refused", env);
    if (existsSync(receiptPath)) setIfPossible("receipt", receiptPath, env);
    // What the Hub or GitHub answered is no mistake of ours: a stack would say nothing.
    const code =
      error instanceof DeployFailure ? 1 : error instanceof HttpRefusal || error instanceof NoAnswer ? 4 : null;
    if (code === null) throw error;
    annotateError((error as Error).message, {
      title: error instanceof DeployFailure ? error.code : "nothing was changed",
    });
    return code;
  }
  return await report(done, env);
}

/** @returns the step's exit code */
async function report({ receipt, file }: Written, env: NodeJS.ProcessEnv): Promise<number> {
  if (receipt.outcome === "planned") logLine(receipt.reason);
  if (exitCodeOf(receipt) !== 0 && exitCodeOf(receipt) !== 5)
    annotateError(receipt.reason, {
      title: `${receipt.deployed.model.id} ${receipt.deployed.model.version}: ${receipt.outcome}`,
    });
  const notTold = [
    setIfPossible("outcome", receipt.outcome, env),
    setIfPossible("url", receipt.url ?? "", env),
    setIfPossible("receipt", file ?? "", env),
  ].filter((problem) => problem !== null);
  const complete = { ...receipt, notRecorded: [...receipt.notRecorded, ...notTold] };
  const { timeline: _timeline, log: _log, ...result } = complete;
  const line = JSON.stringify(result);
  if (setIfPossible("result", line, env) !== null || complete.notRecorded.length > 0) logLine(line);
  for (const problem of complete.notRecorded) warning(problem, { title: "not recorded" });
  await addSummary(renderSummary(complete), env);
  return exitCodeOf(complete);
}

/** Sets an output. What has happened stays so if that cannot be done. @returns the problem, or null */
function setIfPossible(name: string, value: string, env: NodeJS.ProcessEnv): string | null {
  try {
    output(name, value, env);
    return null;
  } catch (error) {
    return `the output ${name} could not be set (${(error as Error).message})`;
  }
}

/**
 * The native runtime's directory: the one that the machine's owner names, or the one in the gate action beside this
 * action, which only release commits contain.
 */
function ortDir(env: NodeJS.ProcessEnv): string | null {
  if (env["SLUICE_ORT_DIR"]) return env["SLUICE_ORT_DIR"];
  const besideGate = fileURLToPath(new URL(`../../gate/native/${process.platform}-${process.arch}`, import.meta.url));
  return existsSync(besideGate) ? besideGate : null;
}

// Mask the secrets before anything can print them.
for (const name of ["INPUT_HF-TOKEN", "HF_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]) {
  const secret = process.env[name];
  if (secret) setSecret(secret);
}
runStep(main);
