import { EvaluationError } from "../../models/core/errors.ts";
import { parseExactJson } from "../dataset/formats/exact-json.ts";
import { normalForm } from "../dataset/normal-form.ts";
import type { AnswerLayout } from "./columns.ts";
import type { Answers, Span } from "./predictions.ts";

/** Collects the answers of a file row by row. Items, types and texts are taken in Unicode normal form C. */
export type AnswerBuilder = {
  /** @throws EvaluationError `malformed-answer` with the row's place */
  add(fields: Record<string, unknown>, place: string): void;
  answers(): Answers;
};

export function answerBuilder(layout: AnswerLayout, columns: ReadonlySet<string>): AnswerBuilder {
  switch (layout) {
    case "ranking":
      return rankings(columns.has("gains"));
    case "spans":
      return spans();
    case "text":
      return texts(columns.has("audio_seconds"));
  }
}

function rankings(withGains: boolean): AnswerBuilder {
  const relevant: string[][] = [];
  const ranked: string[][] = [];
  const gains: number[][] = [];
  return {
    add(fields, place) {
      const items = itemsOf(fields, "relevant", place);
      relevant.push(items);
      ranked.push(itemsOf(fields, "ranked", place));
      if (withGains) gains.push(gainsOf(fields, items.length, place));
    },
    answers: () => ({ kind: "ranking", relevant, gains: withGains ? gains : null, ranked }),
  };
}

/** Ids of items, best first. A whole number and the same digits as text are one item. */
function itemsOf(fields: Record<string, unknown>, column: string, place: string): string[] {
  const known = new Map<string, number>();
  return listOf(fields, column, place, '["item-7", "item-2"]').map((value, i) => {
    if (typeof value !== "string" && !Number.isSafeInteger(value))
      throw malformed(place, column, `entry ${i + 1} is no id of an item`, "a text or a whole number", value);
    const item = normalForm(String(value));
    const earlier = known.get(item);
    if (earlier !== undefined)
      throw malformed(
        place,
        column,
        `${JSON.stringify(item)} stands in it twice, at ${earlier + 1} and ${i + 1}`,
        "every item once",
        item,
      );
    known.set(item, i);
    return item;
  });
}

function gainsOf(fields: Record<string, unknown>, items: number, place: string): number[] {
  const values = listOf(fields, "gains", place, "[3, 1]");
  if (values.length !== items)
    throw malformed(
      place,
      "gains",
      `${values.length} gains for ${items} relevant items`,
      "one gain per relevant item, in their order",
      values.length,
    );
  return values.map((value, i) => {
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
      throw malformed(place, "gains", `gain ${i + 1} is no gain`, "a finite number of at least 0", value);
    return value;
  });
}

const spanExample = '[{"start": 0, "end": 5, "type": "PER"}]';

function spans(): AnswerBuilder {
  const label: Span[][] = [];
  const predicted: Span[][] = [];
  return {
    add(fields, place) {
      label.push(spansOf(fields, "label", place));
      predicted.push(spansOf(fields, "predicted", place));
    },
    answers: () => ({ kind: "spans", label, predicted }),
  };
}

/** Spans from left to right. */
function spansOf(fields: Record<string, unknown>, column: string, place: string): Span[] {
  const found = listOf(fields, column, place, spanExample).map((value, i): Span => {
    const wrong = (problem: string, expected: string, received: unknown) =>
      malformed(place, column, `span ${i + 1} ${problem}`, expected, received, spanExample);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw wrong("is no object", "{start, end, type}", value);
    const unknown = Object.keys(value).find((key) => !["start", "end", "type"].includes(key));
    if (unknown !== undefined) throw wrong(`has an unknown key ${JSON.stringify(unknown)}`, "start, end, type", value);
    const { start, end, type } = value as Record<string, unknown>;
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end))
      throw wrong("has no whole start and end", "positions in the text, counted from 0 in UTF-16 code units", value);
    const [from, to] = [start as number, end as number];
    if (from < 0) throw wrong("lies outside the text", "a start of at least 0", value);
    if (to <= from) throw wrong(`ends at ${to}, not after its start ${from}`, "an end after the start", value);
    if (typeof type !== "string" || type === "") throw wrong("has no type", "a text such as PER", value);
    return { start: from, end: to, type: normalForm(type) };
  });
  found.sort((one, other) => one.start - other.start);
  for (let i = 1; i < found.length; i++) {
    const [before, after] = [found[i - 1] as Span, found[i] as Span];
    if (after.start < before.end)
      throw malformed(
        place,
        column,
        `the spans [${before.start}, ${before.end}) and [${after.start}, ${after.end}) overlap`,
        "spans that share no character",
        JSON.stringify([before, after]),
        spanExample,
      );
  }
  return found;
}

function texts(withSeconds: boolean): AnswerBuilder {
  const references: string[][] = [];
  const hypotheses: string[] = [];
  const seconds: number[] = [];
  return {
    add(fields, place) {
      references.push(referencesOf(fields, place));
      hypotheses.push(textOf(fields, "hypothesis", place));
      if (!withSeconds) return;
      const raw = present(fields, "audio_seconds", place);
      const value = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
      if (typeof value !== "number" || !Number.isFinite(value) || value <= 0)
        throw malformed(place, "audio_seconds", "is no length of an audio", "a finite number above 0", raw);
      seconds.push(value);
    },
    answers: () => ({
      kind: "text",
      references,
      hypotheses,
      audioSeconds: withSeconds ? Float64Array.from(seconds) : null,
    }),
  };
}

/** One text, or a list of texts; in a file of plain cells the list is JSON. A text may be empty, a list may not. */
function referencesOf(fields: Record<string, unknown>, place: string): string[] {
  const value = present(fields, "reference", place);
  const list = Array.isArray(value) ? (value as unknown[]) : typeof value === "string" ? textListOf(value) : null;
  if (list === null) return [textOf(fields, "reference", place)];
  if (list.length === 0)
    throw malformed(
      place,
      "reference",
      "is an empty list",
      "a text, or a list of at least one",
      value,
      referenceExample,
    );
  return list.map((one, i) => {
    if (typeof one !== "string")
      throw malformed(place, "reference", `entry ${i + 1} is no text`, "a list of texts", one, referenceExample);
    return normalForm(one);
  });
}

const referenceExample = '["The dog bit the man.", "The dog had bitten the man."]';

/** A text that is a JSON list of texts, such as CSV holds several references in. "[applause]" is none. */
function textListOf(text: string): string[] | null {
  if (!/^\s*\[\s*["\]]/.test(text)) return null;
  try {
    const value = JSON.parse(text) as unknown;
    return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : null;
  } catch {
    return null;
  }
}

/** A text; a cell without anything in it is the empty text, which a recogniser of silence answers. */
function textOf(fields: Record<string, unknown>, column: string, place: string): string {
  const value = present(fields, column, place);
  if (value === null) return "";
  if (typeof value === "string") return normalForm(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw malformed(place, column, "is no text", "a text", value);
}

function listOf(fields: Record<string, unknown>, column: string, place: string, example: string): unknown[] {
  const value = present(fields, column, place);
  const wrong = () => malformed(place, column, "is no JSON list", `a list such as ${example}`, value, example);
  if (Array.isArray(value)) return value as unknown[];
  if (typeof value !== "string") throw wrong();
  try {
    const parsed = parseExactJson(value, new Map());
    if (Array.isArray(parsed)) return parsed as unknown[];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw wrong();
}

function present(fields: Record<string, unknown>, column: string, place: string): unknown {
  if (!Object.hasOwn(fields, column) || fields[column] === undefined)
    throw malformed(place, column, "is missing", `a field ${column} in every row`, Object.keys(fields).join(", "));
  return fields[column];
}

function malformed(
  place: string,
  column: string,
  problem: string,
  expected: string,
  received: unknown,
  example?: string,
): EvaluationError {
  const text = typeof received === "string" ? received : (JSON.stringify(received) ?? String(received));
  return new EvaluationError({
    code: "malformed-answer",
    place,
    problem: `${column}: ${problem}`,
    expected,
    received: text.length > 80 ? `${text.slice(0, 80)}…` : text === "" ? "nothing" : text,
    ...(example === undefined ? {} : { example }),
  });
}
