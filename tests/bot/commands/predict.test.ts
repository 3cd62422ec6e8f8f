import { expect, it } from "vitest";
import { readRow } from "../../../bot/commands/predict.ts";

const card = (fields: Record<string, string>) => ({
  input: {
    schema: { properties: Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, { type }])) },
    examples: [],
  },
});
const mood = card({ text: "string" });
const fares = card({ from: "string", km: "number", night: "boolean" });

it.each([
  ["text=I love this film", mood, { text: "I love this film" }],
  ['text="I love this film"', mood, { text: "I love this film" }],
  ["text=2024", mood, { text: "2024" }],
  ["text=a=b c=d", mood, { text: "a=b c=d" }],
  ["I love text=this film", mood, { text: "I love text=this film" }],
  ["from=the old port km=3.5 night=true", fares, { from: "the old port", km: 3.5, night: true }],
  ["km=3 from=x=y", fares, { km: 3, from: "x=y" }],
  ['{"km": 3}', fares, { km: 3 }],
  ["the old port", fares, "This model takes from, km, night: give them as name=value or as JSON."],
])("reads %s", (input, model, row) => {
  expect(readRow(input, model)).toEqual(row);
});
