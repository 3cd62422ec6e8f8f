import type { Answers, Forecasts } from "../predictions/predictions.ts";

type Of<K extends Answers["kind"]> = Extract<Answers, { kind: K }>;

/** What answers of one head have alike in all shards: their kind, and the columns that some have. */
export function answersShape(answers: Answers): (string | boolean)[] {
  switch (answers.kind) {
    case "ranking":
      return [answers.kind, answers.gains !== null];
    case "spans":
      return [answers.kind];
    case "text":
      return [answers.kind, answers.audioSeconds !== null];
  }
}

/** Answers of one shape, in order. */
export function joinAnswers(parts: readonly Answers[]): Answers {
  const [first] = parts;
  switch (first!.kind) {
    case "ranking": {
      const all = parts as readonly Of<"ranking">[];
      return {
        kind: "ranking",
        relevant: all.flatMap(({ relevant }) => relevant),
        gains: (first as Of<"ranking">).gains === null ? null : all.flatMap(({ gains }) => gains!),
        ranked: all.flatMap(({ ranked }) => ranked),
      };
    }
    case "spans": {
      const all = parts as readonly Of<"spans">[];
      return {
        kind: "spans",
        label: all.flatMap(({ label }) => label),
        predicted: all.flatMap(({ predicted }) => predicted),
      };
    }
    case "text": {
      const all = parts as readonly Of<"text">[];
      return {
        kind: "text",
        references: all.flatMap(({ references }) => references),
        hypotheses: all.flatMap(({ hypotheses }) => hypotheses),
        audioSeconds:
          (first as Of<"text">).audioSeconds === null
            ? null
            : joinNumbers(all.map(({ audioSeconds }) => audioSeconds!)),
      };
    }
  }
}

/** Forecasts with the same quantiles, in order. */
export function joinForecasts(parts: readonly Forecasts[]): Forecasts {
  const { quantiles } = parts[0]!;
  return {
    series: parts.flatMap(({ series }) => series),
    steps: Int32Array.from(parts.flatMap(({ steps }) => Array.from(steps))),
    ...(parts.every(({ naive2 }) => naive2 !== undefined)
      ? { naive2: joinNumbers(parts.map(({ naive2 }) => naive2!)) }
      : {}),
    quantiles:
      quantiles === null
        ? null
        : { levels: quantiles.levels, values: joinNumbers(parts.map((part) => part.quantiles!.values)) },
  };
}

function joinNumbers(parts: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
