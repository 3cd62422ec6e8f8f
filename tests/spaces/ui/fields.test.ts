import { z } from "zod";
import { expect, test } from "vitest";
import { manifest } from "../../../models/core/manifest/manifest.ts";
import { rowSchema } from "../../../models/core/manifest/rows.ts";
import { pageModule } from "./page-module.ts";

const { readFields } = await pageModule<{ readFields: (schema: unknown) => unknown[] }>("schema-fields.js");
const { readNumberList, asNumber } = await pageModule<{
  readNumberList: (text: string) => unknown[] | undefined;
  asNumber: (text: string) => unknown;
}>("numbers.js");
const { fieldErrors, retryAfterMs } = await pageModule<{
  fieldErrors: (problem: unknown) => { field: string; message: string }[];
  retryAfterMs: (headers: Headers, nowMs: number) => number | null;
}>("api.js");
const { parts } = await pageModule<{ parts: (timing: object) => { part: string; ms: number }[] }>("time-bar.js");
const { command } = await pageModule<{ command: (url: string, row: object) => string }>("code-sample.js");

const preprocess = manifest.shape.preprocess.parse({
  words: { kind: "text", field: "text", maxCharacters: 5000 },
  table: {
    kind: "tabular",
    features: [
      { column: "age", encode: "number" },
      { column: "city", encode: "one-hot", categories: ["Bonn", "Graz"] },
    ],
    columns: {
      age: { type: "number", min: 0, max: 120 },
      city: { type: "string", missing: { fill: "?" } },
      member: { type: "boolean" },
      day: { type: "date" },
      history: { type: "number-list", length: 28 },
    },
  },
  picture: { kind: "image", field: "photo" },
  grid: { kind: "tensor", field: "grid", shape: [2, 3] },
});

test("every kind of input of a manifest becomes the field that fits it", () => {
  expect(readFields(z.toJSONSchema(rowSchema({ preprocess }), { io: "input", unrepresentable: "any" }))).toEqual([
    { name: "text", required: true, kind: "text", maxCharacters: 5000, maxTokens: 512 },
    { name: "age", required: true, kind: "number", min: 0, max: 120 },
    { name: "city", required: false, kind: "string", choices: ["Bonn", "Graz"] },
    { name: "member", required: true, kind: "boolean" },
    { name: "day", required: true, kind: "date" },
    { name: "history", required: true, kind: "number-list", length: 28 },
    { name: "photo", required: true, kind: "image" },
    { name: "grid", required: true, kind: "json", shape: [2, 3] },
  ]);
});

test("the key of a look-up is one line, not a text", () => {
  const rows = rowSchema({
    preprocess: manifest.shape.preprocess.parse({
      card: {
        kind: "lookup",
        store: { path: "card.features", sha256: "0".repeat(64) },
        key: ["card_id"],
        features: { age: {} },
      },
    }),
  });
  expect(readFields(z.toJSONSchema(rows, { io: "input" }))).toMatchObject([{ name: "card_id", kind: "string" }]);
});

test("observed values of a forecast are a list that may have gaps, after what is asked for", () => {
  const flag = { observed: "seen", level: 0.8 };
  const rows = rowSchema({
    preprocess: manifest.shape.preprocess.parse({ past: { kind: "series", minLength: 3, maxLength: 9 } }),
    postprocess: manifest.shape.postprocess.parse([{ name: "d", from: "f", kind: "series", horizon: 4, flag }]),
  });
  expect(readFields(z.toJSONSchema(rows, { io: "input" }))).toEqual([
    { name: "history", required: true, kind: "number-list" },
    { name: "seen", required: false, kind: "number-list", gaps: true },
  ]);
});

test.each([
  ["1, 2\n3", [1, 2, 3]],
  ["1, null, 3", [1, null, 3]],
  ["[1, 2.5e3]", [1, 2500]],
  ["1\t2\r\n3;4", [1, 2, 3, 4]],
  ["1 two 3", [1, "two", 3]],
  ["[1, 2", [1, 2]],
  ["  ", undefined],
])("numbers pasted as %j", (text, expected) => {
  expect(readNumberList(text)).toEqual(expected);
});

test("text that is not a number stays as typed, for the server to judge", () => {
  expect([asNumber(" 4.5 "), asNumber("4,5"), asNumber(""), asNumber("1e999")]).toEqual([
    4.5,
    "4,5",
    undefined,
    "1e999",
  ]);
});

test("problems are reported with field, expected and received value", () => {
  expect(
    fieldErrors({
      errors: [
        { field: "history[3]", problem: "expected number", received: '"x"' },
        { field: "date", problem: "missing", received: "undefined" },
      ],
    }),
  ).toEqual([
    { field: "history[3]", message: 'expected number; received "x"' },
    { field: "date", message: "missing" },
  ]);
  expect([fieldErrors(null), fieldErrors({ errors: "no" })]).toEqual([[], []]);
});

test("Retry-After in seconds, as a date, or absent", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(
    ["2", "Thu, 01 Jan 2026 00:00:05 GMT", "soon"].map((value) =>
      retryAfterMs(new Headers({ "retry-after": value }), now),
    ),
  ).toEqual([2000, 5000, null]);
  expect(retryAfterMs(new Headers(), now)).toBeNull();
});

test("parts of the time add up to the whole", () => {
  const sum = (timing: object) => parts(timing).reduce((total, { ms }) => total + ms, 0);
  expect(sum({ totalMs: 12, queueMs: 1, inferenceMs: 2, serverMs: 5 })).toBeCloseTo(12);
  expect(parts({ totalMs: 12, queueMs: 0, inferenceMs: 2, serverMs: 2 }).map(({ part }) => part)).toEqual([
    "inference",
    "network",
  ]);
});

test("the command survives quotes in a text", () => {
  expect(command("http://127.0.0.1:7860/models/mood/predict", { text: "it's $HOME" }))
    .toBe(String.raw`curl -s http://127.0.0.1:7860/models/mood/predict \
  -H 'content-type: application/json' \
  -d '{"text":"it'\''s $HOME"}'`);
});
