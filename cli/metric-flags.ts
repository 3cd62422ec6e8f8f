import { Option, type Command } from "commander";
import { gainNames, normaliserNames, placeNames, tokenizerNames } from "../models/core/manifest/metric-options.ts";
import { integerWithin, number, oneOf } from "./flag-values.ts";

/** The options of metrics as flags, for every command that measures. */
export function metricFlags(command: Command): Command {
  return command
    .option("--threshold <t>", "decision threshold of accuracy, precision, recall, false_positive_rate, f1", number)
    .option(
      "--at <rate>",
      "false-positive rate of tpr_at_fpr and partial_auroc, nominal coverage of interval_coverage, level of quantile_loss",
      number,
    )
    .option("--k <n>", "cut-off of the metrics of rankings; default: 10", integerWithin(1, Infinity))
    .addOption(oneOf(new Option("--per <what>", "what takes a place in precision_at_k of binary answers"), placeNames))
    .addOption(oneOf(new Option("--gain <rule>", "what ndcg_at_k counts for a gain"), gainNames))
    .addOption(oneOf(new Option("--normaliser <name>", "what wer and cer do to texts first"), normaliserNames))
    .addOption(oneOf(new Option("--tokenizer <name>", "how bleu cuts texts into words"), tokenizerNames))
    .option("--lowercase", "bleu and chrf ignore case")
    .option("--word-order <n>", "longest word n-gram of chrf; 2 is chrF++", integerWithin(0, 2))
    .option("--scaled", "quantile_loss over the naive scale of each row's series")
    .option("--entity-type <type>", "entity_f1 of this type only");
}
