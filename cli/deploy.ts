import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import type { DeploymentReceipt } from "../deploy/receipt.ts";
import type { SessionDeps, Written } from "../deploy/session.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

export type PlaceFlags = {
  environment: string;
  space?: string;
  reason: string;
  set: string[];
  out: string;
  json: boolean;
  dryRun: boolean;
};
type DeployFlags = PlaceFlags & { verdict: string; bundle?: string; rollout?: string | true };

/** Flags that say where to deploy, shared with `rollback` and `rollout`. */
export function placeFlags(command: Command, { dryRun = true } = {}): Command {
  const placed = command
    .option("--environment <stage>", "stage to deploy to, e.g. staging", stage, "production")
    .option("--space <ns/name>", "the Space; default: what sluice.yaml names for the model and the stage")
    .option("--reason <text>", "why, for the lock and the records", "")
    .option(
      "--set <name=value>",
      "a wait, limit or tolerance of docs/deploy.md; may be repeated",
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option("--out <dir>", "folder for deployment.json, the receipt", ".sluice")
    .option("--json", "the receipt as one JSON document on stdout; progress stays on stderr", false);
  return dryRun ? placed.option("--dry-run", "print the plan and change nothing", false) : placed;
}

export function deployCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("deploy")
    .description("deploy a model that passed the gate to its Hugging Face Space, prove it live, go back when it is not")
    .argument("<model>", "id or folder of a model in sluice.yaml")
    .option(
      "--verdict <file|dir>",
      "verdict.json of the gate, or a folder that is searched for the one that names the model",
      ".sluice",
    )
    .option(
      "--bundle <dir>",
      "only write the Space's tree there (Dockerfile, README, server, page, model); with --space: deploy the tree that lies there",
    )
    .option(
      "--rollout [dir]",
      "put it beside the version that serves, for `sluice rollout`; with --bundle: beside the tree in that folder",
    )
    .addHelpText(
      "after",
      `\nSigns in with HF_TOKEN; records with GITHUB_TOKEN. A roll-out is controlled with SLUICE_ROLLOUT_KEY.\n\nExample:\n  ${sluiceCommand()} gate births && ${sluiceCommand()} deploy births --space octo/births --dry-run`,
    );
  return placeFlags(command).action(async (model: string, flags: DeployFlags) => {
    const { runDeploy } = await import("../deploy/session.ts");
    const { bundle = null } = flags;
    const onlyTree = bundle !== null && flags.space === undefined && !flags.dryRun;
    const { request, deps } = await compose(model, flags, streams);
    const { rollout } = flags;
    const beside =
      rollout === undefined
        ? null
        : { key: streams.env["SLUICE_ROLLOUT_KEY"] || null, beside: rollout === true ? null : rollout };
    await report(
      () =>
        runDeploy(
          { ...request, ...(onlyTree ? { space: "none" } : {}), verdict: flags.verdict, bundle, rollout: beside },
          deps,
        ),
      flags,
      streams,
      finish,
    );
  });
}

function stage(text: string): string {
  if (!/^[a-z][a-z0-9-]*$/.test(text))
    throw new InvalidArgumentError("expected a stage in lower case, e.g. production.");
  return text;
}

/** Builds the request and the dependencies of `deploy` and `rollback` from flags and environment. */
export async function compose(model: string, flags: PlaceFlags, streams: Streams) {
  const { readSettings } = await import("../deploy/hub/settings.ts");
  const { HF_TOKEN: hubToken, GITHUB_TOKEN: githubToken, ...env } = streams.env;
  const request = {
    root: process.cwd(),
    model,
    stage: flags.environment,
    space: flags.space ?? null,
    reason: flags.reason,
    out: flags.out,
    dryRun: flags.dryRun,
    settings: readSettings(flags.set.join(" "), "--set"),
    hubToken: hubToken || null,
    githubToken: githubToken || null,
  };
  const cancelled = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => cancelled.abort(new Error(`cancelled by ${name}`)));
  const line = (text: string) => {
    streams.stderr.write(`${text}\n`);
  };
  const deps: SessionDeps = {
    env,
    fetch,
    random: Math.random,
    now: Date.now,
    monotonic: () => performance.now(),
    signal: cancelled.signal,
    mask: () => {},
    sleep: async (ms, signal) => {
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
    },
    sink: {
      line,
      group: (title) => {
        line(`── ${title}`);
      },
      endGroup: () => {
        line("──");
      },
    },
    spaceFiles,
    prepareNative: async () => {},
  };
  return { request, deps };
}

/** How the deployment ended, in one sentence: printed on stdout without --json. */
function sentence({
  outcome,
  reason,
  url,
  deployed: {
    model: { id, version },
  },
}: DeploymentReceipt): string {
  switch (outcome) {
    case "planned":
      return reason;
    case "bundled":
      return `${id} ${version}: ${reason}`;
    case "live":
      return `${id} ${version} is live at ${url}: ${reason}`;
    case "unknown":
      return `${id} ${version}: whether it is live is not known: ${reason}`;
    default:
      return `${id} ${version} is not live: ${reason}`;
  }
}

/** The Space's files come from the committed action, or lie in the installed package, so a laptop makes CI's tree. */
async function spaceFiles() {
  const dir = fileURLToPath(
    new URL(import.meta.url.endsWith(".ts") ? "../actions/deploy/dist/space" : "../space", import.meta.url),
  );
  if (!existsSync(dir)) {
    const { ConfigurationError } = await import("../models/core/errors.ts");
    throw new ConfigurationError({
      code: "space-files",
      place: dir,
      problem: "the Space's server is not built",
      expected: "actions/deploy/dist/space",
      hint: "npm run build",
    });
  }
  const { readSpaceFiles } = await import("../deploy/bundle/make.ts");
  return readSpaceFiles(dir);
}

/**
 * Runs a deployment and reports how it ended: the receipt or one sentence on stdout, or on stderr why it could not
 * start.
 */
export async function report(
  run: () => Promise<Written>,
  flags: PlaceFlags,
  streams: Streams,
  finish: Finish,
): Promise<void> {
  const { exitCodeOf } = await import("../deploy/receipt.ts");
  const { DeployFailure } = await import("../deploy/hub/failure.ts");
  let receipt: DeploymentReceipt;
  try {
    ({ receipt } = await run());
  } catch (error) {
    // For example a lock that somebody else holds: nothing was started, and the request itself is valid.
    if (!(error instanceof DeployFailure)) throw error;
    streams.stderr.write(`sluice: ${error.message}\n`);
    return finish(1);
  }
  for (const problem of receipt.notRecorded) streams.stderr.write(`sluice: not recorded: ${problem}\n`);
  if (flags.json) await write(streams.stdout, `${JSON.stringify(receipt, null, 2)}\n`);
  else await write(streams.stdout, `${sentence(receipt)}\n`);
  finish(exitCodeOf(receipt));
}
