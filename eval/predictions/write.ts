import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { stringify } from "csv-stringify/sync";
import { ConfigurationError } from "../../models/core/errors.ts";
import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import type { Answers, Predictions } from "./predictions.ts";
import { naive2Column, quantileColumn, seriesColumn, stepColumn } from "./forecast-columns.ts";
import { classColumnPrefix, entityColumn, isSliceColumn, layoutOf, naiveScaleColumn } from "./columns.ts";

/** Shortest decimal that reads back as the same double. */
function decimal(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** `json`: the cell is written into a JSON row as it stands; in CSV it is text. */
type Cell = { text: string; json: boolean };
const name = (text: string): Cell => ({ text, json: false });
const number = (value: number): Cell => ({ text: decimal(value), json: true });
const list = (value: unknown): Cell => ({ text: JSON.stringify(value), json: true });

/** The columns of a row's answers, and their cells. */
function answerCells(answers: Answers): { columns: string[]; cells: (row: number) => Cell[] } {
  switch (answers.kind) {
    case "ranking": {
      const { relevant, ranked, gains } = answers;
      return {
        columns: ["relevant", "ranked", ...(gains === null ? [] : ["gains"])],
        cells: (row) => [list(relevant[row]), list(ranked[row]), ...(gains === null ? [] : [list(gains[row])])],
      };
    }
    case "spans":
      return {
        columns: ["label", "predicted"],
        cells: (row) => [list(answers.label[row]), list(answers.predicted[row])],
      };
    case "text": {
      const { references, hypotheses, audioSeconds } = answers;
      return {
        columns: ["reference", "hypothesis", ...(audioSeconds === null ? [] : ["audio_seconds"])],
        cells: (row) => [
          // A single text that a reader could take for a list of texts is written as a list.
          references[row]!.length === 1 && !/^\s*\[/.test(references[row]![0]!)
            ? name(references[row]![0]!)
            : list(references[row]),
          name(hypotheses[row]!),
          ...(audioSeconds === null ? [] : [number(audioSeconds[row]!)]),
        ],
      };
    }
  }
}

/**
 * The file's columns in order, and the cells of a row. Binary labels are written as 0 and 1, which no reader can
 * mistake.
 */
function table(predictions: Predictions): { columns: string[]; cells: (row: number) => Cell[] } {
  const layout = layoutOf(predictions.task);
  const { ids, labels, scores, classes, entities, weights, naiveScales, forecasts, answers } = predictions;
  // The series are the clusters where no others are given: a reader takes them by itself.
  const groups = predictions.groups === forecasts?.series ? null : predictions.groups;
  const levels = forecasts?.quantiles?.levels ?? [];
  const ofForecast = forecasts === undefined ? [] : [seriesColumn, stepColumn];
  const slices = Object.entries(predictions.slices).filter(([column]) => !ofForecast.includes(column));
  const taken = slices.find(([column]) => !isSliceColumn(column, layout) || column === augmentationColumn);
  if (taken !== undefined)
    throw new ConfigurationError({
      code: "slice-column-name",
      place: "dataset.slices",
      problem: `a slice column cannot be called "${taken[0]}" in a prediction file`,
      expected: "a name without a meaning of its own",
      received: taken[0],
    });
  const width = layout === "multiclass" ? classes.length : 1;
  const best = (row: number) => {
    let top = 0;
    for (let i = 1; i < width; i++) if (scores[row * width + i]! > scores[row * width + top]!) top = i;
    return classes[top]!;
  };
  const given =
    answers === undefined
      ? {
          columns: [
            "label",
            ...(layout === "multiclass" ? ["predicted", ...classes.map((one) => classColumnPrefix + one)] : ["score"]),
          ],
          cells: (row: number) => [
            ...(layout === "multiclass" ? [name(classes[labels[row]!]!), name(best(row))] : [number(labels[row]!)]),
            ...Array.from({ length: width }, (_, i) => number(scores[row * width + i]!)),
          ],
        }
      : answerCells(answers);
  return {
    columns: [
      "id",
      ...given.columns,
      ...(groups === null ? [] : ["group"]),
      ...(entities === undefined ? [] : [entityColumn]),
      ...(weights === null ? [] : ["weight"]),
      ...(naiveScales === undefined ? [] : [naiveScaleColumn]),
      ...ofForecast,
      ...levels.map(quantileColumn),
      ...(forecasts?.naive2 === undefined ? [] : [naive2Column]),
      ...slices.map(([column]) => column),
    ],
    cells: (row) => [
      name(ids[row]!),
      ...given.cells(row),
      ...(groups === null ? [] : [name(groups[row]!)]),
      ...(entities === undefined ? [] : [name(entities[row]!)]),
      ...(weights === null ? [] : [number(weights[row]!)]),
      ...(naiveScales === undefined ? [] : [number(naiveScales[row]!)]),
      ...(forecasts === undefined ? [] : [name(forecasts.series[row]!), number(forecasts.steps[row]!)]),
      ...levels.map((_, k) => number(forecasts!.quantiles!.values[row * levels.length + k]!)),
      ...(forecasts?.naive2 === undefined ? [] : [number(forecasts.naive2[row]!)]),
      ...slices.map(([, values]) => name(values[row]!)),
    ],
  };
}

const rowsPerWrite = 5000;

/**
 * A cell is quoted where a reader would otherwise cut it, and where it is empty: an unquoted empty cell means missing.
 */
function csv(rows: string[][]): string {
  return stringify(rows, { quoted_match: /[\r\n\uFEFF]/, quoted_empty: true });
}

/** The rows, then their altered copies, which a column of its own tells from them. */
function* blocks(predictions: Predictions, format: "csv" | "jsonl"): Generator<string> {
  const { copies } = predictions;
  if (copies === undefined) return yield* blocksOf(predictions, format, null, true);
  const { [augmentationColumn]: augmentations, ...slices } = copies.slices;
  yield* blocksOf(predictions, format, () => "", true);
  yield* blocksOf({ ...copies, slices }, format, (row) => augmentations![row]!, false);
}

function* blocksOf(
  predictions: Predictions,
  format: "csv" | "jsonl",
  augmentationOf: ((row: number) => string) | null,
  headed: boolean,
): Generator<string> {
  const own = table(predictions);
  const columns = augmentationOf === null ? own.columns : [...own.columns, augmentationColumn];
  const cells = augmentationOf === null ? own.cells : (row: number) => [...own.cells(row), name(augmentationOf(row))];
  const keys = columns.map((column) => JSON.stringify(column));
  if (format === "csv" && headed) yield csv([columns]);
  for (let from = 0; from < predictions.ids.length; from += rowsPerWrite) {
    const rows = Array.from({ length: Math.min(rowsPerWrite, predictions.ids.length - from) }, (_, i) =>
      cells(from + i),
    );
    if (format === "csv") yield csv(rows.map((row) => row.map((cell) => cell.text)));
    else
      yield rows
        .map(
          (row) =>
            `{${row.map((cell, i) => `${keys[i]}:${cell.json ? cell.text : JSON.stringify(cell.text)}`).join(",")}}\n`,
        )
        .join("");
  }
}

/**
 * Writes predictions atomically as CSV (.csv) or JSON Lines (.jsonl). Scores keep full precision. `readPredictions`
 * with the same task and classes gives the predictions back.
 * @throws ConfigurationError `unknown-format`, `slice-column-name`
 */
export async function writePredictions(file: string, predictions: Predictions): Promise<void> {
  const extension = extname(file).toLowerCase();
  if (extension !== ".csv" && extension !== ".jsonl")
    throw new ConfigurationError({
      code: "unknown-format",
      place: file,
      problem: "predictions are written as CSV or JSON Lines",
      expected: "a file name ending in .csv or .jsonl",
      received: extension || "no extension",
    });
  // Streamed, because predictions may be larger than the largest string. That is why the file is renamed here.
  const temporary = `${file}.${randomBytes(6).toString("hex")}.part`;
  await mkdir(dirname(file), { recursive: true });
  try {
    await pipeline(
      Readable.from(blocks(predictions, extension === ".csv" ? "csv" : "jsonl")),
      createWriteStream(temporary, { flags: "wx" }),
    );
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}
