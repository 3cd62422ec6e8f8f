import { describe, expect, it } from "vitest";
import type { Span } from "../../../eval/predictions/predictions.ts";
import { answerSample, predictionsOf, reference, spans } from "./answer-samples.ts";
import { measure, measurerOf } from "../../../eval/metrics/measure.ts";
import { metric, options, value } from "./samples.ts";

const rowsOf = (entities: (typeof reference.ner)[number]["true"], sentences: number): Span[][] =>
  Array.from({ length: sentences }, (_, row) =>
    entities.flatMap(([sentence, type, start, end]) => (sentence === row ? [{ start, end, type }] : [])),
  );
const span = (type: string, start: number, end: number): Span => ({ type, start, end });

describe("entity_f1", () => {
  it.each(reference.ner)("equals seqeval in strict mode: $name", (one) => {
    const sample = answerSample(spans(rowsOf(one.true, one.sentences), rowsOf(one.predicted, one.sentences)));
    if (one.true.length + one.predicted.length === 0) {
      // seqeval says 0.
      expect(metric("entity_f1").measure(sample, options)).toMatchObject({ status: "undefined", reason: /no entity/ });
      return;
    }
    expect(value("entity_f1", sample)).toBeCloseTo(one.micro[2], 9);
  });

  it("is measured over all types and per type", () => {
    const answers = spans(
      [[span("PER", 0, 3), span("LOC", 5, 9)], [span("PER", 0, 2)]],
      [[span("PER", 0, 3), span("PER", 5, 9)], [span("PER", 0, 2)]],
    );
    const found = measure(measurerOf(predictionsOf(answers), 1), null, { level: 0.9 });
    expect(
      found.map(({ options: of, result, signature }) => [
        of.entityType,
        result.status === "ok" && result.value,
        signature,
      ]),
    ).toEqual([
      [undefined, 4 / 6, "match:strict|average:micro|type:all"],
      ["LOC", 0, "match:strict|average:micro|type:LOC"],
      ["PER", 0.8, "match:strict|average:micro|type:PER"],
    ]);
  });

  it("counts no span twice that begins where another ends", () => {
    const sample = answerSample(spans([[span("PER", 0, 3), span("PER", 3, 5)]], [[span("PER", 0, 5)]]));
    expect(value("entity_f1", sample)).toBe(0);
  });
});
