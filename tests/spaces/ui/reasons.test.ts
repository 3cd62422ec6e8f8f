import { expect, test } from "vitest";
import { pageModule } from "./page-module.ts";

test("the page says what rules say and what features add", async () => {
  const { readReasons } = await pageModule<{ readReasons: (answer: object) => string[] }>("answers.js");
  expect(
    readReasons({
      reasons: [
        { rule: "block-list", reason: "it is on the list" },
        { rule: "quiet" },
        { feature: "amount", value: 360, contribution: 1.25 },
        { feature: "mean_30d", value: null, contribution: -0.5 },
        { feature: "history", contribution: 0.1 },
      ],
    }),
  ).toEqual([
    "it is on the list (rule block-list)",
    "The rule quiet fired.",
    "amount is 360: +1.25",
    "mean_30d is missing: -0.5",
    "history: +0.1",
  ]);
  expect(readReasons({})).toEqual([]);
});
