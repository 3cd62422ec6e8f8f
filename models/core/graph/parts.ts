import type { Field } from "../manifest/rows.ts";
import type { HeadResult } from "../postprocess/result.ts";
import type { Head } from "../postprocess/schema.ts";

/** A part of a head's answer that a later step can read. */
export type Part = { name: string; type: Field; read: (result: never) => unknown };

type Of<K extends HeadResult["kind"]> = Extract<HeadResult, { kind: K }>;

const number: Field = { type: "number", optional: false };
const text: Field = { type: "text", optional: false };
const part = <K extends HeadResult["kind"]>(name: string, type: Field, read: (result: Of<K>) => unknown): Part => ({
  name,
  type,
  read,
});

/**
 * The parts of a head's answer with their types: those of `serving.response`, and the lists that another model can
 * take: probabilities in the head's order, a ranking's ids, a forecast's values.
 */
export function partsOf(head: Head): Part[] {
  switch (head.kind) {
    case "classification":
      return [
        part<"classification">("label", { ...text, known: head.labels } as Field, ({ label }) => label),
        part<"classification">("score", { ...number, min: 0, max: 1 } as Field, ({ score }) => score),
        part<"classification">(
          "probabilities",
          { type: "numbers", shape: [head.labels.length], optional: false },
          ({ probabilities }) => head.labels.map((label) => probabilities[label]!),
        ),
      ];
    case "regression":
      return [part<"regression">("value", number, ({ value }) => value)];
    case "ranking":
      return [
        part<"ranking">("first", text, ({ items }) => items[0]!.id),
        part<"ranking">("score", number, ({ items }) => items[0]!.score),
        part<"ranking">("ids", { type: "ids", optional: false }, ({ items }) => items.map(({ id }) => id)),
      ];
    case "series":
      return [
        part<"series">("values", { type: "numbers", shape: [head.horizon], optional: false }, ({ values }) => values),
      ];
    case "spans":
      return [part<"spans">("count", number, ({ spans }) => spans.length)];
    case "text":
      return [part<"text">("text", text, (result) => result.text)];
  }
}
