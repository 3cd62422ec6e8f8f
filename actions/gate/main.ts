import { join, relative, resolve } from "node:path";
import { readEvent, type RunContext } from "../../eval/gate/event.ts";
import { removeOutputs, writeOutputs } from "../../eval/gate/outputs.ts";
import { prepareReferences, releaseRecords, type Baseline } from "../../eval/gate/references.ts";
import { exitCodeOf } from "../../eval/judge/algebra.ts";
import type { MetricsFile } from "../../eval/schema/metrics.ts";
import type { VerdictFile } from "../../eval/schema/verdict.ts";
import { productionTagPrefix, productionTagTime } from "../../github/registry/production.ts";
import { readRelease } from "../../github/registry/release.ts";
import { commentMarker } from "../../github/sticky-comment.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { sluiceVersion } from "../../models/core/version.ts";
import { annotate } from "../runner/annotate.ts";
import { readInputs } from "../runner/inputs.ts";
import { logLine } from "../runner/log.ts";
import { prepareNative } from "../runner/runtime/prepare.ts";
import { readWorkflowEvent, runStep, withoutToken } from "../runner/step.ts";
import { connection, referenceDeps, type Connection } from "./connection.ts";
import { deliver } from "./deliver.ts";
import { gateInputs, type GateInputs } from "./inputs.ts";
import { logEvents } from "./log-events.ts";

type Evaluated = {
  verdict: VerdictFile;
  metrics: MetricsFile;
  html: string;
  baseline: string | null;
  code: number;
  /** Whether sluice.yaml asks for a comment. */
  comment: boolean;
};

/**
 * The gate as a step of a workflow: reads inputs and event, finds the commits to compare, evaluates, reports. All
 * decisions are made in other rooms; this file only calls them in order.
 *
 * @returns the step's exit code: 0, 1, 3, 4 by the verdict, 2 for wrong usage, 5 for an undelivered required comment
 */
async function main(given: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const inputs = readInputs(gateInputs, given);
  const env = withoutToken(given);
  const workspace = resolve(env["GITHUB_WORKSPACE"] ?? ".");
  const root = resolve(workspace, inputs["working-directory"]);
  const event = await readWorkflowEvent(env);
  const situation = readEvent(event.name, event.payload, event.sha, event.ref);
  const github = connection(inputs.token, env);

  const evaluated = await evaluate(inputs, situation, { workspace, root }, github, env, signal).catch(
    (error: unknown) => errorVerdict(error, workspace, resolve(root, inputs.out), env),
  );
  const prefix = relative(workspace, root);
  return deliver(
    {
      verdict: evaluated.verdict,
      metrics: evaluated.metrics,
      html: evaluated.html,
      baseline: evaluated.baseline,
      marker: commentMarker(join(inputs["working-directory"], inputs.config), inputs.models),
      prefix: prefix === "" ? "" : `${prefix}/`,
      pullRequest: situation.pullRequest,
      silence: situation.silence,
      policy: {
        failOn: inputs["fail-on"],
        comment: inputs.comment === "auto" && !evaluated.comment ? "never" : inputs.comment,
      },
      codeOfVerdict: evaluated.code,
      // A failure of the whole evaluation was already annotated where it was caught.
      annotate: evaluated.verdict.models.length > 0,
    },
    { env, github },
  );
}

async function evaluate(
  inputs: GateInputs,
  situation: RunContext,
  { workspace, root }: { workspace: string; root: string },
  github: Connection,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Evaluated> {
  // The repository may contain a verdict.json of its own. Remove it first, so that it cannot pass for this step's
  // result, however this step ends.
  await removeOutputs(workspace, resolve(root, inputs.out));
  const references = referenceDeps(github, inputs.token, env);
  const [{ baseline, policyRef }, native] = await Promise.all([
    prepareReferences(inputs.baseline, situation, root, references),
    prepareNative(inputs["ort-dir"], root, env),
  ]);
  logLine(`native runtime: ${native.source}, ${native.binding}`);
  const events = logEvents(Date.now);
  try {
    // Import only now: importing the gate may load the native runtime, which must be located first.
    const { runGate } = await import("../../eval/gate.ts");
    const { verdict, metrics, files, configuration } = await runGate(
      {
        root,
        configFile: inputs.config,
        models: inputs.models,
        baseline,
        policyRef,
        out: resolve(root, inputs.out),
        seed: inputs.seed,
        performance: inputs.performance,
        ...(inputs.provider === null ? {} : { provider: inputs.provider }),
      },
      {
        env: { ...env, ...native.env },
        now: () => new Date(),
        onEvent: events.onEvent,
        fetch,
        signal,
        releases: releaseRecords(root, references, {
          prefix: productionTagPrefix,
          timeOf: productionTagTime,
          read: readRelease,
        }),
        ...(inputs.token === null ? {} : { gitToken: inputs.token }),
      },
    );
    return {
      verdict,
      metrics,
      html: files.html,
      baseline: baselineWord(baseline),
      code: exitCodeOf(verdict.verdict),
      comment: configuration.reporting.comment,
    };
  } finally {
    events.close();
  }
}

/** Turns a failure of the whole evaluation into the verdict ERROR, reported in the same places and files. */
async function errorVerdict(
  error: unknown,
  workspace: string,
  out: string,
  env: NodeJS.ProcessEnv,
): Promise<Evaluated> {
  annotate(error);
  const createdAt = new Date().toISOString();
  const reason = error instanceof Error ? error.message : String(error);
  const verdict: VerdictFile = {
    schemaVersion: 1,
    verdict: "ERROR",
    reason,
    commit: env["GITHUB_SHA"] ?? null,
    sluiceVersion,
    createdAt,
    models: [],
  };
  const metrics: MetricsFile = { schemaVersion: 1, sluiceVersion, createdAt, models: [] };
  let html = "";
  try {
    // Writing follows links, so whatever ended the step, none may be left.
    await removeOutputs(workspace, out);
    ({ html } = await writeOutputs(out, verdict, metrics, []));
  } catch (failure) {
    logLine(`the report could not be written: ${failure instanceof Error ? failure.message : String(failure)}`);
  }
  return {
    verdict,
    metrics,
    html,
    baseline: null,
    code: error instanceof ConfigurationError ? 2 : exitCodeOf("ERROR"),
    comment: true,
  };
}

function baselineWord(baseline: Baseline): string {
  if (baseline === "none") return "none";
  return "ref" in baseline ? baseline.ref : baseline.dir;
}

runStep(main);
