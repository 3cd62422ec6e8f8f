import type { Dataset } from "../../models/core/manifest/manifest.ts";
import { itemId } from "../../models/core/catalogue/catalogue.ts";
import type { Head, SeriesHead, SpansHead } from "../../models/core/postprocess/schema.ts";
import { spanTypes } from "../../models/core/postprocess/word-labels.ts";
import type { DecimalMark } from "./formats/dialect.ts";
import type { Actuals, References, RelevantItems, TrueSpans, TrueValue } from "./true-value.ts";
import { finite, listIn, parsed, plain, present, Unusable } from "./unusable.ts";

type Where = Dataset["labels"][string];
type TrueSpan = TrueSpans["spans"][number];
type Fields = Readonly<Record<string, unknown>>;

/** What the readers need of a row besides its fields. `owner`: the row's group, else its id. */
type Reading = { fields: Fields; mark: DecimalMark; owner: string };

/**
 * How the true values of a head are read that are lists or texts, or that belong to a step of a series; null for single
 * labels and numbers.
 *
 * @returns a function that throws Unusable
 */
export function structuredLabel(where: Where, head: Head): ((reading: Reading) => TrueValue) | null {
  switch (head.kind) {
    case "ranking":
      return ({ fields, mark }) => (where.rows === "items" ? oneItem(where, fields, mark) : relevant(where, fields));
    case "spans":
      return ({ fields }) => spans(where, head, fields);
    case "text":
      return ({ fields, mark }) => references(where, fields, mark);
    case "series":
      return (reading) => actuals(where, head, reading);
    case "regression":
      return where.series === undefined && where.step === undefined && where.naive2 === undefined
        ? null
        : (reading) => oneStep(where, null, reading);
    case "classification":
      return null;
  }
}

function relevant(where: Where, fields: Fields): RelevantItems {
  const items = listIn(fields, where.field, '["item-1", "item-2"]').map((value) => {
    const id = itemId(value);
    if (id === null) throw new Unusable(`field "${where.field}" holds what is no item id: ${JSON.stringify(value)}`);
    return id;
  });
  assertDistinct(items, where.field);
  if (where.gains === undefined) return { kind: "relevant", items, gains: null };
  const gains = listIn(fields, where.gains, "[3, 1]");
  if (gains.length !== items.length)
    throw new Unusable(`field "${where.gains}" has ${gains.length} gains for ${items.length} relevant items`);
  return { kind: "relevant", items, gains: gains.map((value) => gain(value, where.gains!)) };
}

/** One relevant item of a user; `joinItems` puts them together. */
function oneItem(where: Where, fields: Fields, mark: DecimalMark): RelevantItems {
  const items = [plain(fields, where.field)];
  const { gains } = where;
  return {
    kind: "relevant",
    items,
    gains: gains === undefined ? null : [gain(finite(plain(fields, gains), gains, mark), gains)],
  };
}

/**
 * The relevant items of two rows of a user.
 * @throws Unusable for an item that both have
 */
export function joinItems(first: RelevantItems, second: RelevantItems): RelevantItems {
  const known = new Set(first.items);
  assertDistinct(second.items, "item", known);
  const items = [...first.items, ...second.items];
  return {
    kind: "relevant",
    items,
    gains: first.gains === null || second.gains === null ? null : [...first.gains, ...second.gains],
  };
}

/** @param seen ids that no item may have; those of the items are added */
function assertDistinct(items: readonly string[], field: string, seen = new Set<string>()): void {
  for (const id of items) {
    if (seen.has(id)) throw new Unusable(`field "${field}" has the item ${JSON.stringify(id)} twice`);
    seen.add(id);
  }
}

function gain(value: unknown, field: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new Unusable(`field "${field}" holds a gain that is no number from 0: ${JSON.stringify(value)}`);
}

function spans(where: Where, head: SpansHead, fields: Fields): TrueSpans {
  const types = spanTypes(head.labels);
  const example = `[{"start": 0, "end": 4, "type": "${types[0]}"}]`;
  const read = listIn(fields, where.field, example).map((value): TrueSpan => {
    const { start, end, type } = (value ?? {}) as Partial<TrueSpan>;
    if (
      !Number.isSafeInteger(start) ||
      !Number.isSafeInteger(end) ||
      start! < 0 ||
      end! <= start! ||
      typeof type !== "string"
    )
      throw new Unusable(
        `field "${where.field}" holds what is no span: ${JSON.stringify(value)?.slice(0, 80)}; e.g. ${example}`,
      );
    if (!types.includes(type))
      throw new Unusable(
        `type ${JSON.stringify(type.slice(0, 80))} in "${where.field}" is unknown to head "${head.name}" (${types.join(", ")})`,
      );
    return { start: start!, end: end!, type };
  });
  return { kind: "spans", spans: read };
}

function references(where: Where, fields: Fields, mark: DecimalMark): References {
  const value = present(fields, where.field);
  const list = typeof value === "string" ? parsed(value) : value;
  const texts = Array.isArray(list) ? (list as unknown[]) : [value];
  if (texts.length === 0 || !texts.every((text) => typeof text === "string"))
    throw new Unusable(`field "${where.field}" is no text and no list of texts`);
  const seconds =
    where.audioSeconds === undefined ? null : finite(plain(fields, where.audioSeconds), where.audioSeconds, mark);
  if (seconds !== null && seconds <= 0) throw new Unusable(`field "${where.audioSeconds}" is not positive: ${seconds}`);
  return { kind: "references", texts, audioSeconds: seconds };
}

function actuals(where: Where, head: SeriesHead, reading: Reading): Actuals {
  if (where.step !== undefined) return oneStep(where, head.horizon, reading);
  const list = listIn(reading.fields, where.field, `${head.horizon} values, null for one that is not known`);
  if (list.length !== head.horizon)
    throw new Unusable(
      `field "${where.field}" has ${list.length} values, and the head "${head.name}" forecasts ${head.horizon} steps`,
    );
  const known = list.flatMap((value, i) =>
    value === null ? [] : [{ step: i + 1, value: numberIn(value, where.field) }],
  );
  if (known.length === 0) throw new Unusable(`field "${where.field}" has no known value`);
  return {
    kind: "actuals",
    single: false,
    series: seriesOf(where, reading),
    steps: known.map(({ step }) => step),
    values: known.map(({ value }) => value),
    naive2: where.naive2 === undefined ? null : naive2(where.naive2, head, known, reading),
  };
}

function numberIn(value: unknown, field: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new Unusable(`field "${field}" holds what is no finite number: ${JSON.stringify(value)}`);
}

function naive2(field: string, head: SeriesHead, known: readonly { step: number }[], { fields }: Reading): number[] {
  const list = listIn(fields, field, `${head.horizon} values`);
  if (list.length !== head.horizon)
    throw new Unusable(
      `field "${field}" has ${list.length} forecasts, and the head "${head.name}" forecasts ${head.horizon} steps`,
    );
  return known.map(({ step }) => numberIn(list[step - 1], field));
}

/** @param horizon largest step that is forecast; null where every step is a row of its own */
function oneStep(where: Where, horizon: number | null, reading: Reading): Actuals {
  const { fields, mark } = reading;
  const step = where.step === undefined ? 1 : finite(plain(fields, where.step), where.step, mark);
  if (!Number.isSafeInteger(step) || step < 1 || step > (horizon ?? 2 ** 31 - 1))
    throw new Unusable(`field "${where.step}" is no step from 1${horizon === null ? "" : ` to ${horizon}`}: ${step}`);
  const value = finite(plain(fields, where.field), where.field, mark);
  const benchmark = where.naive2 === undefined ? null : [finite(plain(fields, where.naive2), where.naive2, mark)];
  const series = seriesOf(where, reading);
  return { kind: "actuals", single: true, series, steps: [step], values: [value], naive2: benchmark };
}

const seriesOf = ({ series }: Where, { fields, owner }: Reading): string =>
  series === undefined ? owner : plain(fields, series);
