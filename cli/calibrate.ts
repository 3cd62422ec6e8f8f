import { Command, Option } from "commander";
import type { Finish } from "./exit-code.ts";
import { baselineChoice } from "./gate.ts";
import { releases } from "./releases.ts";
import { showEvent } from "./show-event.ts";
import { Progress, write, type Streams } from "./streams.ts";
import { terminalOptions } from "./terminal.ts";
import { fraction, integer } from "./flag-values.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type CalibrateFlags = {
  config: string;
  baseline: string;
  provider?: "cpu" | "cuda" | "webgpu";
  gates: number;
  rate: number;
  seed: number;
  json: boolean;
};

export function calibrateCommand(streams: Streams, finish: Finish): Command {
  return new Command("calibrate")
    .description("A/A runs of the quality gate on this machine: its false-alarm rate, and a margin that holds")
    .argument("[model...]", "ids of models in sluice.yaml; all of them unless named")
    .option("--config <file>", "the repository's configuration", "sluice.yaml")
    .option(
      "--baseline <ref|dir>",
      "git ref, folder, or auto: the production version at the merge base with the default branch",
      "auto",
    )
    .addOption(
      new Option("--provider <name>", "execution provider instead of the manifest's").choices([
        "cpu",
        "cuda",
        "webgpu",
      ]),
    )
    .option("--gates <n>", "A/A gates to draw", integer, 200)
    .option("--rate <p>", "share of them that may be red: what the printed margin is for", fraction, 0.05)
    .option("--seed <n>", "seed of every random draw", integer, 1)
    .option("--json", "one JSON document on stdout; progress and logs stay on stderr", false)
    .addHelpText(
      "after",
      `\nThe two models are shuffled row by row into two that do not differ, rows are drawn anew, and the gate judges.\n\nExample:\n  ${sluiceCommand()} calibrate mood --gates 500`,
    )
    .action(async (models: string[], flags: CalibrateFlags) => {
      const { calibrateGate } = await import("../eval/calibrate.ts");
      const progress = new Progress(streams.stderr);
      try {
        const calibration = await calibrateGate(
          {
            root: process.cwd(),
            configFile: flags.config,
            models,
            baseline: baselineChoice(flags.baseline),
            out: ".sluice",
            seed: flags.seed,
            performance: false,
            gates: Math.max(1, flags.gates),
            wantedRate: flags.rate,
            ...(flags.provider === undefined ? {} : { provider: flags.provider }),
          },
          { env: streams.env, now: () => new Date(), fetch, releases, onEvent: (event) => showEvent(progress, event) },
        );
        progress.close();
        if (flags.json) await write(streams.stdout, `${JSON.stringify(calibration, null, 2)}\n`);
        else {
          const { renderCalibration } = await import("../eval/report/calibration.ts");
          await write(streams.stdout, renderCalibration(calibration, terminalOptions(streams)));
        }
        finish(0);
      } finally {
        progress.close();
      }
    });
}
