import type { SeriesResult } from "../../models/core/postprocess/result.ts";
import type { RegressionHead, SeriesHead } from "../../models/core/postprocess/schema.ts";
import type { DatasetRow } from "../dataset/row.ts";
import type { Actuals } from "../dataset/true-value.ts";
import type { Forecasts } from "../predictions/predictions.ts";
import { idsOf, mismatch, type HeadAnswers, type HeadColumns, type OwnColumns } from "./columns.ts";
import { regressionColumns } from "./number-columns.ts";

/**
 * A forecast of several steps. A row of the dataset with the values of all steps becomes a row for each step whose value
 * is known; one with a single step stays one. Rows of one series are a cluster.
 */
export function seriesColumns(head: SeriesHead): Omit<HeadColumns, "head" | "task"> {
  const { horizon, quantiles } = head;
  // Beside the point forecasts, each level's values follow each other.
  const levels = quantiles ?? [];
  const labelOf = (row: DatasetRow): Actuals => {
    const label = row.labels[head.name];
    if (typeof label !== "object" || label.kind !== "actuals" || label.steps.some((step) => step > horizon))
      throw mismatch(head.name, row, `values of up to ${horizon} steps`);
    return label;
  };
  const width = horizon * (1 + levels.length);
  /** The known values in order, and where among the numbers the forecast of each is. */
  const cellsOf = (origins: readonly Actuals[]) =>
    origins.flatMap(({ steps, values, series, naive2 }, row) =>
      steps.map((step, i) => {
        const benchmark = naive2 === null ? null : naive2[i]!;
        return { row, step, series, value: values[i]!, benchmark, at: row * width + step - 1 };
      }),
    );
  return {
    classes: [],
    width,
    write(result, into, at) {
      const { values, quantiles: given = [] } = result as SeriesResult;
      into.set(values, at);
      given.forEach((one, q) => into.set(one.values, at + horizon * (q + 1)));
    },
    list: null,
    check: labelOf,
    collect(rows, { numbers }) {
      const origins = rows.map(labelOf);
      const cells = cellsOf(origins);
      const points: OwnColumns = {
        labels: Float64Array.from(cells, ({ value }) => value),
        scores: Float64Array.from(cells, ({ at }) => numbers[at]!),
        classes: [],
        forecasts: {
          series: cells.map(({ series }) => series),
          steps: Int32Array.from(cells, ({ step }) => step),
          quantiles:
            quantiles === undefined
              ? null
              : {
                  levels: [...quantiles],
                  values: Float64Array.from(
                    cells.flatMap(({ at }) => levels.map((_, q) => numbers[at + horizon * (q + 1)]!)),
                  ),
                },
          ...naive2Of(cells.map(({ benchmark }) => benchmark)),
        },
      };
      // A dataset that has one step a row has ids for its steps already.
      return origins.every(({ single }) => single)
        ? points
        : {
            ...points,
            expanded: {
              owner: Int32Array.from(cells, ({ row }) => row),
              ids: rows.flatMap((row) => idsOf(row, head.name)),
            },
          };
    },
    recover({ scores, forecasts }, rows) {
      const cells = cellsOf(rows.map(labelOf));
      const given = forecasts?.quantiles ?? null;
      if (
        forecasts === undefined ||
        scores.length !== cells.length ||
        JSON.stringify(given?.levels ?? []) !== JSON.stringify(levels) ||
        cells.some(({ step }, i) => forecasts.steps[i] !== step)
      )
        return null;
      // Steps whose value is not known were not kept, and are not asked for.
      const numbers = new Float64Array(rows.length * width).fill(NaN);
      cells.forEach(({ at }, i) => {
        numbers[at] = scores[i]!;
        for (let q = 0; q < levels.length; q++) numbers[at + horizon * (q + 1)] = given!.values[i * levels.length + q]!;
      });
      return { numbers, lists: [] };
    },
  };
}

/** All rows of a dataset have a forecast of Naive2, or none has. */
function naive2Of(benchmarks: readonly (number | null)[]): Pick<Forecasts, "naive2"> {
  return benchmarks.length > 0 && benchmarks.every((one) => one !== null)
    ? { naive2: Float64Array.from(benchmarks) }
    : {};
}

/** A number of a forecasting model where the dataset names series or steps; nothing for other numbers. */
export function stepColumns(head: RegressionHead): Partial<Pick<HeadColumns, "check" | "collect">> {
  const own = regressionColumns(head);
  const isActual = (row: DatasetRow) => typeof row.labels[head.name] === "object";
  const labelOf = (row: DatasetRow): Actuals => {
    const label = row.labels[head.name];
    if (typeof label !== "object" || label.kind !== "actuals") throw mismatch(head.name, row, "a number");
    return label;
  };
  const forecasts = (rows: readonly DatasetRow[]): Forecasts => ({
    series: rows.map((row) => labelOf(row).series),
    steps: Int32Array.from(rows, (row) => labelOf(row).steps[0]!),
    quantiles: null,
    ...naive2Of(rows.map((row) => labelOf(row).naive2?.[0] ?? null)),
  });
  return {
    check: (row) => void (isActual(row) ? labelOf(row) : own.check(row)),
    collect: (rows, answers: HeadAnswers) =>
      rows.some(isActual)
        ? {
            labels: Float64Array.from(rows, (row) => labelOf(row).values[0]!),
            scores: answers.numbers,
            classes: [],
            forecasts: forecasts(rows),
          }
        : own.collect(rows, answers),
  };
}
