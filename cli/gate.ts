import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import type { Shard } from "../eval/dataset/shard.ts";
import type { BaselineChoice } from "../eval/gate/baseline.ts";
import type { GateDeps, GateRequest } from "../eval/gate/context.ts";
import type { AdviceFile } from "../eval/schema/advice.ts";
import { ConfigurationError } from "../models/core/errors.ts";
import type { LoadedRemote } from "../models/core/predictor/load.ts";
import { exitCodeOf } from "../eval/judge/algebra.ts";
import { releases } from "./releases.ts";
import { showEvent } from "./show-event.ts";
import { Progress, write, type Streams } from "./streams.ts";
import { terminalOptions } from "./terminal.ts";
import { commonFlags, type CommonFlags } from "./flags.ts";
import { integer, shard } from "./flag-values.ts";
import type { Finish } from "./exit-code.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type GateFlags = CommonFlags & {
  config: string;
  baseline: string;
  provider?: "cpu" | "cuda" | "webgpu";
  performance: boolean;
  shard?: Shard;
  shards?: string;
  seed: number;
};

export function gateCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("gate")
    .description("evaluate candidates against their baselines, judge, write the report")
    .argument("[model...]", "ids of models in sluice.yaml; all of them unless named")
    .option("--config <file>", "the repository's configuration", "sluice.yaml")
    .option(
      "--baseline <ref|dir|none>",
      "git ref, folder, none, or auto: the production version at the merge base with the default branch",
      "auto",
    )
    .addOption(
      new Option(
        "--provider <name>",
        "execution provider instead of the manifest's; fails when it is not really used",
      ).choices(["cpu", "cuda", "webgpu"]),
    )
    .option("--no-performance", "leave out latency, throughput and memory (checks on them become ERROR)")
    .option(
      "--shard <i/n>",
      "predict only part I of N of the rows (from 0) and write it to OUT/shards, without a verdict",
      shard,
    )
    .option("--shards <dir>", "judge the shards below this folder instead of predicting")
    .option("--seed <n>", "seed of every random draw", integer, 1)
    .addHelpText("after", `\nExample:\n  ${sluiceCommand()} gate mood --baseline origin/main`);
  return commonFlags(command).action(async (models: string[], flags: GateFlags) => {
    // Loaded here so that --help and wrong flags are answered at once.
    const { predictShard, runGate } = await import("../eval/gate.ts");
    const { splitModels } = await import("../eval/advice/run.ts");
    const { renderTerminal } = await import("../eval/report/terminal.ts");
    const { adviceTerminal } = await import("../eval/report/advice.ts");
    const progress = new Progress(streams.stderr);
    try {
      const request: GateRequest = {
        root: process.cwd(),
        configFile: flags.config,
        models,
        baseline: baselineChoice(flags.baseline),
        out: flags.out,
        seed: flags.seed,
        performance: flags.performance,
        ...(flags.provider === undefined ? {} : { provider: flags.provider }),
        ...(flags.shards === undefined ? {} : { shards: flags.shards }),
      };
      const deps: GateDeps = {
        env: streams.env,
        now: () => new Date(),
        fetch,
        releases,
        onEvent: (event) => showEvent(progress, event),
        ...(streams.env["GITHUB_TOKEN"] ? { gitToken: streams.env["GITHUB_TOKEN"] } : {}),
      };
      if (flags.shard !== undefined) {
        if (flags.shards !== undefined)
          throw new ConfigurationError({
            code: "flags",
            problem: "--shard writes a part and --shards judges all of them: use one",
            place: "--shard",
            example: "sluice gate mood --shard 0/4 --out parts, then sluice gate mood --shards parts",
          });
        const folders = await predictShard(request, flags.shard, deps);
        progress.close();
        await write(
          streams.stdout,
          flags.json ? `${JSON.stringify({ schemaVersion: 1, shards: folders })}\n` : `${folders.join("\n")}\n`,
        );
        return finish(0);
      }
      const { judged, models: named, remote } = await splitModels(request, deps.env);
      const outcome = judged ? await runGate({ ...request, models: named }, deps) : null;
      const advice =
        remote.length === 0
          ? null
          : await adviseRemote(remote, judged, flags.out, streams, deps).catch((error: unknown) => {
              // The verdict is already written, so an error in the advice does not undo it.
              if (!judged) throw error;
              progress.note(
                `no advice on ${remote.map(({ manifest }) => manifest.id).join(", ")}: ${error instanceof Error ? error.message : String(error)}`,
              );
              return null;
            });
      progress.close();
      if (flags.json) await write(streams.stdout, `${JSON.stringify(outcome?.verdict ?? advice, null, 2)}\n`);
      else {
        if (advice !== null) await write(streams.stdout, `${adviceTerminal(advice, terminalOptions(streams))}\n`);
        if (outcome !== null)
          await write(
            streams.stdout,
            `${renderTerminal(outcome.verdict, outcome.metrics, terminalOptions(streams))}\n`,
          );
        await write(streams.stderr, `Report: ${outcome?.files.html ?? join(flags.out, "report.md")}\n`);
      }
      finish(outcome === null ? 0 : exitCodeOf(outcome.verdict.verdict));
    } finally {
      progress.close();
    }
  });
}

async function adviseRemote(
  remote: readonly LoadedRemote[],
  judged: boolean,
  out: string,
  streams: Streams,
  deps: GateDeps,
): Promise<AdviceFile> {
  const { adviseRun } = await import("../eval/advice/run.ts");
  const { openRemoteWith } = await import("../eval/advice/open-remote.ts");
  return adviseRun(remote, judged, out, openRemoteWith({ env: streams.env, fetch }), deps);
}

/** `auto`, `none`, an existing folder, otherwise a git ref. */
export function baselineChoice(text: string): BaselineChoice {
  if (text === "auto" || text === "none") return text;
  const folder = resolve(text);
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? { dir: folder } : { ref: text };
}
