import { expect, it } from "vitest";
import type { HeadAnswer } from "../../../bot/spaces/ask.ts";
import { headDifference, headWords } from "../../../bot/commands/head-words.ts";

const item = (id: string, title?: string) => ({ id, score: 1, ...(title === undefined ? {} : { title }) });
const span = (start: number, text: string) => ({ start, end: start + text.length, type: "PER", text, score: 0.9 });

const cases: [string, HeadAnswer, string, HeadAnswer, string | null][] = [
  ["a label", { label: "good", score: 0.8 }, "good 0.8", { label: "good", score: 0.75 }, "+0.05"],
  ["a number", { value: 3.25 }, "3.25", { value: 3.5 }, "-0.25"],
  [
    "a ranking",
    { items: [item("a", "Item <a>"), item("b"), item("c"), item("d"), item("e")] },
    "Item &lt;a&gt;, b, c, d and 1 more",
    { items: [item("a"), item("c"), item("x"), item("y"), item("z")] },
    "2 of 5 items in both",
  ],
  ["a forecast", { values: [1, 2, 4] }, "1, 2, 4", { values: [1.5, 2, 2] }, "+2 at step 3, the largest change"],
  ["a forecast with flags", { values: [1], flagged: [{ step: 1 }] }, "1; 1 flagged", { values: [1] }, "equal"],
  [
    "spans",
    { spans: [span(0, "Anna")] },
    "Anna (PER)",
    { spans: [span(0, "An"), span(9, "Bo")] },
    "1 spans more, 2 less",
  ],
  ["no spans", { spans: [] }, "nothing found", { spans: [] }, "the same spans"],
  ["a text", { text: "hello <b>" }, "hello &lt;b&gt;", { text: "hello" }, "the texts differ"],
  ["something else", {}, "an answer that this bot cannot show", {}, null],
];

it.each(cases)("%s is said in words, and how it differs from the live one", (_, now, words, before, difference) => {
  expect(headWords(now)).toBe(words);
  expect(headDifference(now, before)).toBe(difference);
  if (difference !== null) expect(headDifference(now, now)).toMatch(/^(equal|the same \w+)$/);
});
