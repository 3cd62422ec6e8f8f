import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { tasks, type Task } from "../models/core/manifest/manifest.ts";
import { metricOptionsOf, type MetricOptions } from "../models/core/manifest/metric-options.ts";
import type { DecimalMark, Delimiter } from "../eval/dataset/formats/dialect.ts";
import { commonFlags, type CommonFlags } from "./flags.ts";
import { metricFlags } from "./metric-flags.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";
import { terminalOptions } from "./terminal.ts";
import { decimal, delimiter, integer, list, number, oneOf } from "./flag-values.ts";

type MeasureFlags = CommonFlags &
  MetricOptions & {
    predictions: string;
    task: Task;
    positive?: string;
    naiveScale?: number;
    catalogueSize?: number;
    encoding?: string;
    delimiter?: Delimiter;
    decimal?: DecimalMark;
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
    .option("--positive <label>", "the positive label, when labels are not 0 and 1")
    .option(
      "--naive-scale <x>",
      "what mase divides by, where the file has no column naive_scale: the naive forecast's error on the training data",
      number,
    )
    .option("--catalogue-size <n>", "items that could be ranked, which coverage_at_k divides by", integer)
    .option("--slices <columns>", "slice columns to measure on; default: every further column", list)
    .option("--level <p>", "coverage of the intervals", number, 0.95)
    .option("--encoding <label>", "the file's encoding, e.g. windows-1252; default: UTF-8, or its byte-order mark's")
    .option(
      "--delimiter <character>",
      "between the cells of CSV: , ; | or tab; default: as the header shows",
      delimiter,
    )
    .option("--decimal <mark>", "decimal mark of the numbers in CSV: . or , ; default: as the first rows show", decimal)
    .option("--seed <n>", "seed of every random draw", integer, 1)
    .addHelpText("after", "\nExample:\n  npx sluice measure --predictions candidate.csv --task regression");
  return commonFlags(metricFlags(command), ".sluice/measure").action(async (flags: MeasureFlags) => {
    const { measureFile } = await import("../eval/compare.ts");
    const metrics = await measureFile(
      {
        file: flags.predictions,
        task: flags.task,
        level: flags.level,
        seed: flags.seed,
        ...(flags.positive === undefined ? {} : { positive: flags.positive }),
        ...(flags.naiveScale === undefined ? {} : { naiveScale: flags.naiveScale }),
        ...(flags.catalogueSize === undefined ? {} : { catalogueSize: flags.catalogueSize }),
        options: metricOptionsOf(flags),
        text: { encoding: flags.encoding, delimiter: flags.delimiter, decimal: flags.decimal },
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
  });
}
