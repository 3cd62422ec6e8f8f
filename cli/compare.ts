import { resolve } from "node:path";
import { Command, Option } from "commander";
import { exitCodeOf } from "../eval/judge/algebra.ts";
import { catalog } from "../eval/metrics/catalog.ts";
import { ConfigurationError } from "../models/core/errors.ts";
import {
  checkPolicy,
  metricNames,
  type CheckKind,
  type CheckPolicy,
  type MetricName,
} from "../models/core/manifest/gates.ts";
import { tasks, type Task } from "../models/core/manifest/manifest.ts";
import { metricOptionsOf, type MetricOptions } from "../models/core/manifest/metric-options.ts";
import { commonFlags, type CommonFlags } from "./flags.ts";
import { metricFlags } from "./metric-flags.ts";
import { predictionFileFlags, readingOf, type PredictionFileFlags } from "./prediction-file-flags.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";
import { terminalOptions } from "./terminal.ts";
import { integer, list, margin, number, oneOf } from "./flag-values.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type CompareFlags = CommonFlags &
  MetricOptions &
  PredictionFileFlags & {
    baseline: string;
    candidate: string;
    task: Task;
    metric: MetricName;
    kind: CheckKind;
    margin?: number | { relative: number };
    min?: number;
    max?: number;
    confident: boolean;
    alpha: number;
    slices?: string[];
    minimumPerClass: number;
    seed: number;
  };

export function compareCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("compare")
    .description("the gate's judgement on two prediction files (CSV, JSON Lines, Parquet) of any framework")
    .requiredOption(
      "--baseline <file>",
      "predictions of the model in production: id, label, score (or what the task has instead), slice columns",
    )
    .requiredOption("--candidate <file>", "predictions of the model that may replace it, on the same rows")
    .addOption(oneOf(new Option("--task <task>", "what the scores are"), tasks).makeOptionMandatory())
    .addOption(oneOf(new Option("--metric <name>", "what is compared"), metricNames).makeOptionMandatory())
    .addOption(
      new Option("--kind <rule>", "how it is judged")
        .choices(["non-inferiority", "superiority", "equivalence", "limit"])
        .default("non-inferiority"),
    )
    .option("--margin <x>", "largest acceptable loss: absolute (0.01) or relative to the baseline (2%)", margin)
    .option("--min <x>", "with --kind limit: smallest acceptable value", number)
    .option("--max <x>", "with --kind limit: largest acceptable value", number)
    .option("--confident", "with --kind limit: the whole interval must keep the limit", false)
    .option("--alpha <p>", "one-sided error rate", number, 0.05)
    .option("--slices <columns>", "judge once per value of these columns, e.g. source,language", list)
    .option("--minimum-per-class <n>", "fewest rows of each class to decide on", integer, 30)
    .option("--seed <n>", "seed of every random draw", integer, 1)
    .addHelpText(
      "after",
      `\nExample:\n  ${sluiceCommand()} compare --baseline production.csv --candidate candidate.csv --task binary-classification --metric auroc --margin 0.01`,
    );
  return commonFlags(predictionFileFlags(metricFlags(command)), ".sluice/compare").action(
    async (flags: CompareFlags) => {
      const { compareFiles } = await import("../eval/compare.ts");
      const { renderTerminal } = await import("../eval/report/terminal.ts");
      const { gitIn, topLevel } = await import("../eval/gate/git.ts");
      const here = process.cwd();
      const outcome = await compareFiles(
        {
          candidate: flags.candidate,
          baseline: flags.baseline,
          task: flags.task,
          policies: [policyOf(flags)],
          alpha: flags.alpha,
          minimumPerClass: flags.minimumPerClass,
          out: resolve(flags.out),
          checkout: await topLevel(gitIn(here, streams.env), here),
          seed: flags.seed,
          flags: given(command),
          ...readingOf(flags),
        },
        { now: () => new Date(), onNote: (text) => streams.stderr.write(`${text}\n`) },
      );
      if (flags.json) await write(streams.stdout, `${JSON.stringify(outcome.verdict, null, 2)}\n`);
      else {
        await write(streams.stdout, `${renderTerminal(outcome.verdict, outcome.metrics, terminalOptions(streams))}\n`);
        await write(streams.stderr, `Report: ${outcome.files.html}\n`);
      }
      finish(exitCodeOf(outcome.verdict.verdict));
    },
  );
}

/** The flags that were given, as words, without those that only say where and how the result is shown. */
function given(command: Command): string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "cli" || name === "out" || name === "json") return [];
    const value: unknown = command.getOptionValue(name);
    if (value === true) return [option.long ?? ""];
    const text =
      typeof value === "object" && value !== null && "relative" in value
        ? `${Number((100 * Number(value.relative)).toPrecision(12))}%`
        : Array.isArray(value)
          ? value.join(",")
          : String(value);
    return [option.long ?? "", text];
  });
}

/** One check from flags, parsed with the same schema as the checks of model.yaml. */
function policyOf(flags: CompareFlags): CheckPolicy {
  const { kind, metric, min, max } = flags;
  const wrong = (problem: string, example: string) =>
    new ConfigurationError({ code: "flags", problem, place: `--kind ${kind}`, example });
  if (kind === "limit" && min === undefined && max === undefined)
    throw wrong("a limit needs --min or --max", `--kind limit --metric ${metric} --min 0.8`);
  if (kind === "limit" && flags.margin !== undefined)
    throw wrong("a limit has no --margin; it has --min and --max", `--kind limit --metric ${metric} --min 0.8`);
  if (kind !== "limit" && (min !== undefined || max !== undefined || flags.confident))
    throw wrong("--min, --max and --confident belong to --kind limit", `--kind ${kind} --margin 0.01`);
  if (kind !== "limit" && kind !== "superiority" && flags.margin === undefined)
    throw wrong(`${kind} needs --margin: the largest difference that does not matter`, `--kind ${kind} --margin 0.01`);
  const rules = catalog.get(metric)?.rules;
  if (rules?.kinds.includes(kind) === false)
    throw wrong(
      `${kind} cannot decide on ${metric}: ${rules.why}`,
      `--kind limit --metric ${metric} --at 0.9 --min 0.87 --max 0.93 --confident`,
    );
  const common = {
    metric,
    slices: flags.slices ?? [],
    ...metricOptionsOf(flags),
  };
  return checkPolicy.parse(
    kind === "limit"
      ? {
          kind,
          ...common,
          confident: flags.confident,
          ...(min === undefined ? {} : { min }),
          ...(max === undefined ? {} : { max }),
        }
      : { kind, ...common, ...(flags.margin === undefined ? {} : { margin: flags.margin }) },
  );
}
