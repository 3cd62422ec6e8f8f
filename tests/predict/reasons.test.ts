import { expect, it } from "vitest";
import type { Outcome } from "../../predict/ask.ts";
import { cellsOf, columnsOf } from "../../predict/output.ts";

const card = { heads: [{ name: "fraud", kind: "classification" as const }] };
const outcome = (reasons: object[]) =>
  ({
    kind: "predicted",
    item: { row: 0, id: "a" },
    heads: { fraud: { label: "yes", score: 0.9 } },
    reasons,
    notes: [],
    latencyMs: 1,
    attempts: 1,
  }) as unknown as Outcome;

it("a file of answers has the reasons of rules and of features in one column, where the model gives any", () => {
  const cell = (reasons: object[]) => {
    const columns = columnsOf({ ...card, reasons: true });
    return cellsOf(outcome(reasons), { ...card, reasons: true })[columns.indexOf("reasons")];
  };
  expect(columnsOf({ ...card, reasons: false })).not.toContain("reasons");
  expect(cell([])).toBeNull();
  expect(
    cell([
      { rule: "list", reason: "it is on the list" },
      { rule: "quiet" },
      { feature: "amount", value: 360, contribution: 1.25 },
      { feature: "channel", value: "atm", contribution: -0.5 },
      { feature: "mean", value: null, contribution: 2 },
    ]),
  ).toBe('list: it is on the list · quiet · amount 360: +1.25 · channel "atm": -0.5 · mean missing: +2');
});
