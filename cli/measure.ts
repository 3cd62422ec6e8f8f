import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { tasks, type Task } from "../models/core/manifest/manifest.ts";
import { metricOptionsOf, type MetricOptions } from "../models/core/manifest/metric-options.ts";
import { commonFlags, type CommonFlags } from "./flags.ts";
import { metricFlags } from "./metric-flags.ts";
import { predictionFileFlags, readingOf, type PredictionFileFlags } from "./prediction-file-flags.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";
import { terminalOptions } from "./terminal.ts";
import { integer, list, number, oneOf } from "./flag-values.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type MeasureFlags = CommonFlags &
  MetricOptions &
  PredictionFileFlags & {
    predictions: string;
    task: Task;
    slices?: string[];
    level: number;
    seed: number;
  };

export function measureCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("measure")
    .description("every metric of the task with intervals, no judgement")
    .requiredOption(
      "--predictions <file>",
      "CSV, JSON Lines or Parquet: id, label, score (or what the task has instead), slice columns",
    )
    .addOption(oneOf(new Option("--task <task>", "what the scores are"), tasks).makeOptionMandatory())
    .option("--slices <columns>", "slice columns to measure on; default: every further column", list)
    .option("--level <p>", "coverage of the intervals", number, 0.95)
    .option("--seed <n>", "seed of every random draw", integer, 1)
    .addHelpText("after", `\nExample:\n  ${sluiceCommand()} measure --predictions candidate.csv --task regression`);
  return commonFlags(predictionFileFlags(metricFlags(command)), ".sluice/measure").action(
    async (flags: MeasureFlags) => {
      const { measureFile } = await import("../eval/compare.ts");
      const metrics = await measureFile(
        {
          file: flags.predictions,
          task: flags.task,
          level: flags.level,
          seed: flags.seed,
          ...readingOf(flags),
          options: metricOptionsOf(flags),
          ...(flags.slices === undefined ? {} : { slices: flags.slices }),
        },
        { now: () => new Date(), onNote: (text) => streams.stderr.write(`${text}\n`) },
      );
      const out = resolve(flags.out);
      await mkdir(out, { recursive: true });
      await writeFile(join(out, "metrics.json"), `${JSON.stringify(metrics, null, 2)}\n`);
      if (flags.json) await write(streams.stdout, `${JSON.stringify(metrics, null, 2)}\n`);
      else {
        const { renderMeasurements } = await import("../eval/report/measurements.ts");
        await write(streams.stdout, `${renderMeasurements(metrics, terminalOptions(streams))}\n`);
      }
      finish(0);
    },
  );
}
