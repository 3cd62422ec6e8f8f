import { z } from "zod";
import { ConfigurationError } from "../errors.ts";
import { didYouMean } from "../did-you-mean.ts";
import { compileDerived } from "../expression/expression.ts";
import { valuesWith } from "../expression/values.ts";
import type { CompiledStep, LookedUp, StepPlace } from "./compiled.ts";
import { parseDate } from "../expression/dates.ts";
import { fixedSize } from "./fixed-size.ts";
import type { Lookup } from "./lookup.ts";
import { fieldOf, missingField, RowError, type Row } from "../row.ts";
import type { tabularColumn, tabularFeature, TabularStep } from "./schema.ts";

type Column = z.infer<typeof tabularColumn>;
type Feature = z.infer<typeof tabularFeature>;
type Encoder = { width: number; write: (value: unknown, into: Float64Array, at: number) => void };

/**
 * Named columns → one vector. Computed in float64, rounded once when it enters the graph.
 *
 * @throws ConfigurationError for an unknown column, a malformed expression, or a derived name that hides a column.
 */
export function compileTabular(
  step: TabularStep,
  place: StepPlace,
  lookups: Readonly<Record<string, Lookup>> = {},
): CompiledStep {
  const mayBeNaN = new Set<string>();
  const columns = Object.entries(step.columns).map(([name, column]) => {
    const { nan, read } = columnReader(name, column, lookups, () => place(["columns", name, "from"]));
    if (nan) mayBeNaN.add(name);
    return [name, read] as const;
  });
  const known = Object.keys(step.columns);
  const derived = Object.entries(step.derive).map(([name, expression]) => {
    if (known.includes(name))
      throw new ConfigurationError({
        code: "derive-name",
        place: place(["derive", name]),
        problem: `the derived value ${name} hides a column of this name`,
        expected: "a name of its own",
        received: name,
      });
    const compiled = compileDerived(name, expression, known, () => place(["derive", name]));
    known.push(name);
    return [name, compiled] as const;
  });
  const features = step.features.map((feature, i) => {
    if (!known.includes(feature.column)) {
      const near = didYouMean(feature.column, known);
      throw new ConfigurationError({
        code: "feature-column",
        place: place(["features", i, "column"]),
        problem: `no column or derived value ${feature.column}`,
        expected: `one of ${known.join(", ")}`,
        received: feature.column,
        ...(near === null ? {} : { hint: `did you mean \`${near}\`?` }),
      });
    }
    const nan = mayBeNaN.has(feature.column);
    return {
      name: feature.column,
      nan,
      ...encoder(feature, step.columns[feature.column], nan, () => place(["features", i])),
    };
  });
  const width = features.reduce((sum, feature) => sum + feature.width, 0);
  const newValues = valuesWith(known);

  const fill = (row: Row, into: Float64Array, lookedUp: LookedUp = {}): void => {
    const values = newValues();
    for (const [name, read] of columns) values[name] = read(row, lookedUp);
    for (const [name, compute] of derived) values[name] = compute(values);
    into.fill(0);
    let at = 0;
    for (const feature of features) {
      feature.write(values[feature.name], into, at);
      at += feature.width;
    }
  };

  return {
    ...fixedSize("features", [width]),
    fill,
    ...(mayBeNaN.size === 0 ? {} : { nan: features.flatMap(({ nan, width: size }) => Array<boolean>(size).fill(nan)) }),
    prepare(row, lookedUp) {
      const vector = new Float64Array(width);
      fill(row, vector, lookedUp);
      return { kind: "numbers", values: vector };
    },
  };
}

/** Reads a feature that a lookup step has found. */
function lookedUpColumn(
  from: string,
  lookups: Readonly<Record<string, Lookup>>,
  place: () => string,
): { nan: boolean; read: (row: Row, lookedUp: LookedUp) => number } {
  const [step, feature] = from.split(".") as [string, string];
  const features = Object.hasOwn(lookups, step) ? lookups[step]!.features : [];
  const index = features.findIndex(({ name }) => name === feature);
  if (index === -1) {
    const known = Object.entries(lookups).flatMap(([name, one]) => one.features.map((each) => `${name}.${each.name}`));
    const near = didYouMean(from, known);
    throw new ConfigurationError({
      code: "lookup-feature",
      place: place(),
      problem: `no lookup step has the feature ${from}`,
      expected: known.length === 0 ? "a lookup step in `preprocess`" : `one of ${known.join(", ")}`,
      received: from,
      ...(near === null ? {} : { hint: `did you mean \`${near}\`?` }),
    });
  }
  return {
    nan: features[index]!.nan,
    read: (_row, lookedUp) => {
      const found = lookedUp[step];
      if (found === undefined) throw new TypeError(`nothing was looked up for ${step}`);
      return found.values[found.at + index]!;
    },
  };
}

/**
 * Reads one column of a row and checks it. `read` throws RowError; `nan` tells whether it may give NaN.
 *
 * @param place of the column's `from`; called only for an error.
 * @throws ConfigurationError for a feature that no lookup step has.
 */
export function columnReader(
  name: string,
  column: Column,
  lookups: Readonly<Record<string, Lookup>>,
  place: () => string,
): { nan: boolean; read: (row: Row, lookedUp: LookedUp) => unknown } {
  return column.type === "lookup"
    ? lookedUpColumn(column.from, lookups, place)
    : { nan: column.type === "number" && column.missing === "nan", read: reader(name, column) };
}

function reader(name: string, column: Exclude<Column, { type: "lookup" }>): (row: Row) => unknown {
  if (column.type === "present") return (row) => (fieldOf(row, column.field) ?? null) !== null;
  if (column.type === "number-list") {
    return (row) => {
      const list = fieldOf(row, name);
      if (list === undefined || list === null)
        throw missingField(row, name, "the list is missing", `a list of ${column.length} numbers`);
      if (!Array.isArray(list)) throw new RowError(name, "not a list", `a list of ${column.length} numbers`, list);
      if (list.length !== column.length)
        throw new RowError(name, "a list of another length", `${column.length} numbers`, list, {
          shown: `${list.length} items`,
        });
      list.forEach((value, i) => {
        if (typeof value !== "number" || !Number.isFinite(value))
          throw new RowError(`${name}[${i}]`, "not a finite number", "a finite number", value);
      });
      return list;
    };
  }
  const missing = column.missing;
  return (row) => {
    const given = fieldOf(row, name);
    const absent = given === undefined || given === null;
    if (absent && missing === "reject") throw missingField(row, name, "the value is missing", WORDS[column.type]);
    if (absent && missing === "nan") return Number.NaN;
    const value = absent && typeof missing === "object" ? missing.fill : given;
    switch (column.type) {
      case "number":
        if (typeof value !== "number" || !Number.isFinite(value))
          throw new RowError(name, "not a finite number", WORDS.number, value);
        if ((column.min !== undefined && value < column.min) || (column.max !== undefined && value > column.max))
          throw new RowError(name, "a number out of range", `${column.min ?? "-∞"} to ${column.max ?? "∞"}`, value);
        return value;
      case "boolean": {
        // A fill is a number or a text: 0, 1, "true" and "false" stand for booleans.
        const truth = absent
          ? value === 1 || value === "true"
            ? true
            : value === 0 || value === "false"
              ? false
              : value
          : value;
        if (typeof truth !== "boolean") throw new RowError(name, "not true or false", WORDS.boolean, value);
        return truth;
      }
      case "date":
        if (typeof value !== "string" || parseDate(value) === null)
          throw new RowError(name, "not a calendar date", WORDS.date, value);
        return value;
      case "string":
        if (typeof value !== "string") throw new RowError(name, "not a text", WORDS.string, value);
        return value;
    }
  };
}

const WORDS = { number: "a finite number", string: "a text", boolean: "true or false", date: "a date YYYY-MM-DD" };

function encoder(feature: Feature, column: Column | undefined, nan: boolean, place: () => string): Encoder {
  const numeric = (value: unknown): number => {
    if (typeof value === "number") return value;
    if (typeof value === "boolean") return value ? 1 : 0;
    throw new RowError(feature.column, `${feature.encode} needs a number`, "a number, or true or false", value);
  };
  const one = (compute: (x: number) => number): Encoder => ({
    width: 1,
    write(value, into, at) {
      const result = compute(numeric(value));
      if (!Number.isFinite(result) && !(nan && Number.isNaN(value)))
        throw new RowError(feature.column, "the feature is not a finite number", "a finite number", result);
      into[at] = result;
    },
  });
  const misfit = (expected: string) =>
    new ConfigurationError({
      code: "feature-encode",
      place: place(),
      problem: `${feature.encode} does not fit the column ${feature.column}`,
      expected,
      received: column?.type ?? "a derived value",
    });
  if (feature.encode !== "list" && column?.type === "number-list")
    throw misfit("a single value; a number-list takes encode: list");
  switch (feature.encode) {
    case "number":
      return one((x) => x);
    case "standardize":
      return one((x) => (x - feature.mean) / feature.std);
    case "min-max":
      if (feature.min === feature.max)
        throw new ConfigurationError({
          code: "feature-encode",
          place: place(),
          problem: "min and max are the same",
          expected: "min < max",
          received: `${feature.min} and ${feature.max}`,
        });
      return one((x) => (x - feature.min) / (feature.max - feature.min));
    case "list": {
      if (column?.type !== "number-list") throw misfit("a column of type number-list");
      return { width: column.length, write: (value, into, at) => into.set(value as number[], at) };
    }
    case "one-hot": {
      const places = new Map(feature.categories.map((category, i) => [category, i]));
      return {
        width: feature.categories.length,
        write(value, into, at) {
          const found = places.get(value as string | number | boolean);
          if (found !== undefined) into[at + found] = 1;
          else if (feature.unknown === "reject")
            throw new RowError(feature.column, "an unknown category", `one of ${feature.categories.join(", ")}`, value);
        },
      };
    }
  }
}
