import { Command, Option } from "commander";
import type { PlanFile } from "../eval/schema/plan.ts";
import type { ThresholdGoal } from "../eval/metrics/choose-threshold.ts";
import type { Finish } from "./exit-code.ts";
import { baselineChoice } from "./gate.ts";
import { releases } from "./releases.ts";
import { showEvent } from "./show-event.ts";
import { Progress, write, type Streams } from "./streams.ts";
import { terminalOptions } from "./terminal.ts";
import { fraction, integer, thresholdGoal } from "./flag-values.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type PlanFlags = {
  config: string;
  baseline: string;
  provider?: "cpu" | "cuda" | "webgpu";
  correlation: number;
  seed: number;
  threshold?: ThresholdGoal;
  head?: string;
  rows: "tuning" | "gate";
  json: boolean;
};

export function planCommand(streams: Streams, finish: Finish): Command {
  return new Command("plan")
    .description(
      "before running: the smallest change each check can detect on its dataset, expected false-red rate and minutes",
    )
    .argument("[model...]", "ids of models in sluice.yaml; all of them unless named")
    .option("--config <file>", "the repository's configuration", "sluice.yaml")
    .option(
      "--baseline <ref|dir|none>",
      "git ref, folder, none, or auto: the production version at the merge base with the default branch",
      "auto",
    )
    .addOption(
      new Option("--provider <name>", "execution provider instead of the manifest's").choices([
        "cpu",
        "cuda",
        "webgpu",
      ]),
    )
    .option(
      "--correlation <r>",
      "assumed correlation of two models' errors, where there is only one model to look at",
      fraction,
      0.95,
    )
    .option(
      "--threshold <goal>",
      "propose the threshold of binary heads: fpr=RATE, recall=SHARE, or cost=FALSE_ALARM:MISS",
      thresholdGoal,
    )
    .option("--head <name>", "with --threshold: only this head")
    .addOption(
      new Option("--rows <which>", "with --threshold: dataset.tuning's rows, or the gate's own")
        .choices(["tuning", "gate"])
        .default("tuning"),
    )
    .option("--seed <n>", "seed of every random draw", integer, 1)
    .option("--json", "one JSON document on stdout; progress and logs stay on stderr", false)
    .addHelpText(
      "after",
      `\nExits 2 when a margin cannot be reached with the rows there are.\n\nExamples:\n  ${sluiceCommand()} plan mood\n  ${sluiceCommand()} plan fraud --threshold fpr=0.01`,
    )
    .action(async (models: string[], flags: PlanFlags) => {
      const { planGate } = await import("../eval/plan.ts");
      const progress = new Progress(streams.stderr);
      try {
        const plan = await planGate(
          {
            root: process.cwd(),
            configFile: flags.config,
            models,
            baseline: baselineChoice(flags.baseline),
            out: ".sluice",
            seed: flags.seed,
            performance: false,
            correlation: flags.correlation,
            ...(flags.threshold === undefined
              ? {}
              : { threshold: { goal: flags.threshold, head: flags.head ?? null, rows: flags.rows } }),
            ...(flags.provider === undefined ? {} : { provider: flags.provider }),
          },
          { env: streams.env, now: () => new Date(), fetch, releases, onEvent: (event) => showEvent(progress, event) },
        );
        progress.close();
        if (flags.json) await write(streams.stdout, `${JSON.stringify(plan, null, 2)}\n`);
        else {
          const { renderPlan } = await import("../eval/report/plan.ts");
          await write(streams.stdout, renderPlan(plan, terminalOptions(streams)));
        }
        const refused = refusals(plan);
        if (refused.length > 0) await write(streams.stderr, `sluice: ${refused.join("\n        ")}\n`);
        finish(refused.length > 0 ? 2 : 0);
      } finally {
        progress.close();
      }
    });
}

function refusals(plan: PlanFile): string[] {
  return plan.models.flatMap(({ model, checks }) =>
    checks.flatMap(({ metric, slice, refused }) =>
      refused === null ? [] : [`${model}: ${metric}${slice === "all" ? "" : ` on ${slice}`}: ${refused}`],
    ),
  );
}
