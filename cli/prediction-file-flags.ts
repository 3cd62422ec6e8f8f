import type { Command } from "commander";
import type { DecimalMark, Delimiter } from "../eval/dataset/formats/dialect.ts";
import { decimal, delimiter, integer, number } from "./flag-values.ts";

export type PredictionFileFlags = {
  positive?: string;
  naiveScale?: number;
  catalogueSize?: number;
  encoding?: string;
  delimiter?: Delimiter;
  decimal?: DecimalMark;
};

/** What prediction files do not say themselves, as flags, for every command that reads them. */
export function predictionFileFlags(command: Command): Command {
  return command
    .option("--positive <label>", "the positive label, when labels are not 0 and 1")
    .option(
      "--naive-scale <x>",
      "what mase divides by, without a column naive_scale: the naive forecast's error on the training data",
      number,
    )
    .option("--catalogue-size <n>", "items that could be ranked, which coverage_at_k divides by", integer)
    .option("--encoding <label>", "the file's encoding, e.g. windows-1252; default: UTF-8, or its byte-order mark's")
    .option(
      "--delimiter <character>",
      "between the cells of CSV: , ; | or tab; default: as the header shows",
      delimiter,
    )
    .option(
      "--decimal <mark>",
      "decimal mark of the numbers in CSV: . or , ; default: as the first rows show",
      decimal,
    );
}

/** These flags as the readers take them. */
export function readingOf({
  positive,
  naiveScale,
  catalogueSize,
  encoding,
  delimiter: between,
  decimal: mark,
}: PredictionFileFlags) {
  return {
    ...(positive === undefined ? {} : { positive }),
    ...(naiveScale === undefined ? {} : { naiveScale }),
    ...(catalogueSize === undefined ? {} : { catalogueSize }),
    text: { encoding, delimiter: between, decimal: mark },
  };
}
