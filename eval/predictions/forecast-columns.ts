import { EvaluationError } from "../../models/core/errors.ts";
import { firstRowOf, textsOf, type TextColumn } from "./text-column.ts";
import type { Forecasts } from "./predictions.ts";

export const seriesColumn = "series";
export const stepColumn = "step";
/** The forecast of Naive2, the seasonally adjusted naive forecast, for the row: what OWA compares with. */
export const naive2Column = "naive2";

/** The columns of a forecast besides label and score. */
export type ForecastColumns = {
  /** In ascending order of their levels. */
  quantiles: { column: string; level: number }[];
  hasNaive2: boolean;
};

/** A column that is meant to be a quantile, whether or not its name is understood. */
const quantileName = /^q[0-9.]/;

/** Columns of forecasting files that are no slices. */
export function isForecastColumn(column: string): boolean {
  return [seriesColumn, stepColumn, naive2Column].includes(column) || quantileName.test(column);
}

/**
 * The level of a quantile column: what follows the q are the digits after "0.", so q05 is 0.05, q5 would be 0.5 and
 * q975 is 0.975. One digit alone is refused, because q5 is also written for 5 %; null where the name is not understood.
 */
export function quantileLevel(column: string): number | null {
  const digits = /^q(?:0\.)?([0-9]{2,})$/.exec(column)?.[1];
  const level = Number(`0.${digits ?? ""}`);
  return digits !== undefined && level > 0 && level < 1 ? level : null;
}

/** The column that `quantileLevel` reads as this level. */
export function quantileColumn(level: number): string {
  const digits = String(level).replace(/^0\./, "");
  return `q${digits.length === 1 ? `${digits}0` : digits}`;
}

/**
 * Finds the columns of a forecast; null where the file names neither series nor steps.
 * @throws EvaluationError `missing-column` where there is only one of series and step, or one is needed; `quantile-name`
 */
export function findForecastColumns(file: string, found: readonly string[]): ForecastColumns | null {
  const named = found.filter((column) => quantileName.test(column));
  const quantiles = named.map((column) => {
    const level = quantileLevel(column);
    if (level !== null) return { column, level };
    throw new EvaluationError({
      code: "quantile-name",
      place: file,
      problem: `the column "${column}" is not understood as a quantile`,
      expected: "q and at least two digits after the decimal point: q05 for 0.05, q50 for 0.5, q975 for 0.975",
      received: column,
      example: "id,label,score,series,step,q05,q95",
      hint: "a column of something else needs a name that does not begin with q and a digit",
    });
  });
  quantiles.sort((a, b) => a.level - b.level);
  const twice = quantiles.find(({ level }, i) => level === quantiles[i - 1]?.level);
  if (twice !== undefined)
    throw new EvaluationError({
      code: "quantile-name",
      place: file,
      problem: `two columns are the quantile ${twice.level}`,
      expected: "every level once",
      received: quantiles.flatMap(({ column, level }) => (level === twice.level ? [column] : [])).join(", "),
    });
  const hasNaive2 = found.includes(naive2Column);
  const missing = [seriesColumn, stepColumn].filter((column) => !found.includes(column));
  if (missing.length === 0) return { quantiles, hasNaive2 };
  if (missing.length === 2 && quantiles.length === 0 && !hasNaive2) return null;
  throw new EvaluationError({
    code: "missing-column",
    place: file,
    problem: `no column ${missing.map((column) => `"${column}"`).join(", ")}`,
    expected: "series and step, which say where a row stands: step 1 is the first after the origin",
    received: `columns ${found.join(", ")}`,
    example: "id,label,score,series,step\nsales-1,12.5,11.9,sales,1",
  });
}

/** The numbers of a forecast as they were read, one array per column. */
type ReadForecast = {
  columns: ForecastColumns;
  series: TextColumn;
  steps: Float64Array;
  /** In the order of `columns.quantiles`. */
  quantiles: readonly Float64Array[];
  naive2: Float64Array | null;
};

/**
 * The forecasts of a file. In each series the steps are 1, 2, … up to its horizon, each once, and the quantiles of a row
 * do not cross.
 * @throws EvaluationError `forecast-step`, `crossing-quantiles`, with the place of the row
 */
export function forecastsOf(
  { columns, series, steps, quantiles, naive2 }: ReadForecast,
  placeOf: (row: number) => string,
): Forecasts {
  requireSteps(series, steps, placeOf);
  const rows = steps.length;
  const width = quantiles.length;
  const values = new Float64Array(rows * width);
  for (let k = 0; k < width; k++) {
    const column = quantiles[k] as Float64Array;
    for (let row = 0; row < rows; row++) {
      const value = column[row] as number;
      values[row * width + k] = value;
      if (k === 0 || value >= (quantiles[k - 1]![row] as number)) continue;
      throw new EvaluationError({
        code: "crossing-quantiles",
        place: placeOf(row),
        problem: `the quantiles cross: ${columns.quantiles[k]!.column} is below ${columns.quantiles[k - 1]!.column}`,
        expected: "a higher level has no lower value",
        received: `${columns.quantiles[k - 1]!.column} ${quantiles[k - 1]![row]}, ${columns.quantiles[k]!.column} ${value}`,
      });
    }
  }
  return {
    series: textsOf(series),
    steps: Int32Array.from(steps),
    quantiles: width === 0 ? null : { levels: columns.quantiles.map(({ level }) => level), values },
    ...(naive2 === null ? {} : { naive2 }),
  };
}

function requireSteps(series: TextColumn, steps: Float64Array, placeOf: (row: number) => string): void {
  const counts = new Uint32Array(series.values.length);
  for (const code of series.codes) counts[code]!++;
  const starts = new Uint32Array(counts.length);
  for (let code = 1; code < counts.length; code++) starts[code] = starts[code - 1]! + counts[code - 1]!;
  /** Row + 1 of each step from 1 to the series' number of rows. */
  const taken = new Uint32Array(steps.length);
  const refuse = (row: number, problem: string, expected: string, received?: string): never => {
    throw new EvaluationError({
      code: "forecast-step",
      place: placeOf(row),
      problem,
      expected,
      ...(received === undefined ? {} : { received }),
    });
  };
  for (let row = 0; row < steps.length; row++) {
    const step = steps[row] as number;
    const code = series.codes[row] as number;
    if (!(Number.isInteger(step) && step >= 1))
      refuse(row, "step is no step of a forecast", "a whole number from 1, the first step after the origin", `${step}`);
    if (step > counts[code]!) continue;
    const slot = starts[code]! + step - 1;
    const earlier = taken[slot]! - 1;
    if (earlier >= 0)
      refuse(
        row,
        `step ${step} of the series ${JSON.stringify(series.values[code])} is already taken by ${placeOf(earlier)}`,
        "every step of a series once; forecasts from several origins are several series, such as sales@2024-01, and the column group says which belong together",
      );
    taken[slot] = row + 1;
  }
  const hole = taken.indexOf(0);
  if (hole === -1) return;
  let code = counts.length - 1;
  while (starts[code]! > hole || counts[code] === 0) code--;
  refuse(
    firstRowOf(series, code),
    `the series ${JSON.stringify(series.values[code])} has no row of step ${hole - starts[code]! + 1}`,
    `the steps 1 to ${counts[code]} of its ${counts[code]} rows, none missing`,
  );
}
