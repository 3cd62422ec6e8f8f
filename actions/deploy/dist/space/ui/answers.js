import { fieldErrors } from "./api.js";

/**
 * Turns the server's answer for a row into what the page shows. A HeadAnswer's `score` is the probability of its
 * `label`; its `scores` are sorted, highest first. The `error` of a RowOutcome is "" for an answered row.
 * `unlisted` counts the labels that the answer leaves out. `field`, `history` and `observed` name the fields of the row that
 * hold the text of spans, the values before a forecast, and those of its first steps. `readTo` is where the model stopped reading, null at the end.
 * @typedef {{ name: string, kind: "classification", labels: string[], positive: string | null }
 *   | { name: string, kind: "regression", unit: string }
 *   | { name: string, kind: "ranking" }
 *   | { name: string, kind: "series", unit: string, history: string, observed: string }
 *   | { name: string, kind: "spans", types: string[], field: string }
 *   | { name: string, kind: "text" }} Head
 * @typedef {{
 *   name: string, kind: "classification", label: string, score: number, scores: LabelScore[], unlisted: number,
 * } | { name: string, kind: "regression", value: number, unit: string }
 *   | { name: string, kind: "ranking", items: Item[] }
 *   | {
 *     name: string, kind: "series", values: number[], quantiles: Quantile[], flagged: Flagged[], unit: string,
 *     history: string, observed: string,
 *   }
 *   | { name: string, kind: "spans", spans: TextSpan[], types: string[], field: string, readTo: number | null }
 *   | {
 *     name: string, kind: "text", text: string, cut: boolean, usage: Usage | null, said: Said[], backend: string,
 *     partial: boolean,
 *   }} HeadAnswer
 * @typedef {{ id: string, title: string, score: number }} Item
 * @typedef {{ level: number, values: number[] }} Quantile
 * @typedef {{ step: number, value: number }} Flagged
 * @typedef {{ start: number, end: number, type: string, text: string, score: number }} TextSpan
 * @typedef {{ start: number, end: number, text: string }} Said a segment of a sound, in seconds
 * @typedef {{ label: string, score: number }} LabelScore
 * @typedef {{ inputTokens: number, outputTokens: number }} Usage
 * @typedef {{
 *   heads: HeadAnswer[],
 *   notes: string[],
 *   reasons: string[],
 *   timing: import("./time-bar.js").Timing,
 *   from: string,
 *   raw: unknown,
 *   row: Record<string, unknown>,
 * }} Prediction `row`: what was asked
 * @typedef {{ heads: HeadAnswer[], error: string }} RowOutcome one row of a batch
 */

/**
 * @param {any} answer of one row
 * @param {readonly Head[]} heads
 * @returns {HeadAnswer[]} in the order of the model's heads
 * @throws {Error} when a head has no answer
 */
export function readHeads(answer, heads) {
  return heads.map((head) => {
    const own = answer?.heads?.[head.name];
    if (own === undefined || own === null) throw new Error(`The answer has nothing for “${head.name}”.`);
    return readHead(head, own);
  });
}

/** @param {Head} head @param {any} own its part of the answer @returns {HeadAnswer} */
function readHead(head, own) {
  switch (head.kind) {
    case "text":
      return {
        name: head.name,
        kind: "text",
        text: String(own.text),
        cut: own.finishReason === "length",
        usage: own.usage ?? null,
        said: Array.isArray(own.segments) ? own.segments : [],
        backend: String(own.backend ?? ""),
        partial: own.partial === true,
      };
    case "regression":
      return { name: head.name, kind: "regression", value: Number(own.value), unit: head.unit };
    case "ranking":
      return {
        name: head.name,
        kind: "ranking",
        items: list(own.items).map(({ id, title, score }) => ({
          id: String(id),
          title: String(title ?? ""),
          score: Number(score),
        })),
      };
    case "series":
      return {
        ...head,
        values: list(own.values).map(Number),
        quantiles: list(own.quantiles).map(({ level, values }) => ({
          level: Number(level),
          values: list(values).map(Number),
        })),
        flagged: list(own.flagged).map(({ step, value }) => ({ step: Number(step), value: Number(value) })),
      };
    case "spans":
      return {
        ...head,
        spans: list(own.spans).map(({ start, end, type, text, score }) => ({
          start: Number(start),
          end: Number(end),
          type: String(type),
          text: String(text),
          score: Number(score),
        })),
        readTo: own.readTo ?? null,
      };
    case "classification": {
      const given = own.top ?? Object.entries(own.probabilities ?? {}).map(([label, score]) => ({ label, score }));
      const scores = list(given)
        .map(({ label, score }) => ({ label: String(label), score: Number(score) }))
        .sort((a, b) => b.score - a.score);
      const label = String(own.label);
      return {
        name: head.name,
        kind: "classification",
        label,
        scores,
        score: scores.find((one) => one.label === label)?.score ?? Number(own.score),
        unlisted: Math.max(0, head.labels.length - scores.length),
      };
    }
  }
}

/** @param {unknown} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value : [];
}

/**
 * @param {any} answer of one row
 * @returns {string[]} one sentence for each field that a placeholder replaced
 */
export function readNotes(answer) {
  return (answer?.notes ?? []).map(
    (/** @type {any} */ note) => `${String(note.field)}: ${String(note.problem)}; ${String(note.used)} was used.`,
  );
}

/**
 * @param {any} answer of one row
 * @returns {string[]} what the rules that fired say; a rule that gives no reason is named. Then what features add
 */
export function readReasons(answer) {
  return (answer?.reasons ?? []).map((/** @type {any} */ { rule, reason, feature, value, contribution }) => {
    if (feature !== undefined)
      return `${String(feature)}${value === undefined ? "" : ` is ${value === null ? "missing" : String(value)}`}: ${contribution > 0 ? "+" : ""}${String(contribution)}`;
    return reason === undefined ? `The rule ${String(rule)} fired.` : `${String(reason)} (rule ${String(rule)})`;
  });
}

/**
 * @param {any} outcome one row of a batch
 * @param {readonly Head[]} heads
 * @returns {RowOutcome}
 */
export function readOutcome(outcome, heads) {
  const wrong = outcome?.error;
  if (wrong === undefined || wrong === null) return { heads: readHeads(outcome, heads), error: "" };
  const problems = fieldErrors(wrong).map(({ field, message }) =>
    [field.replace(/^rows\[\d+\]\.?/, ""), message].filter(Boolean).join(": "),
  );
  return { heads: [], error: problems.join("; ") || String(wrong.detail ?? wrong.title ?? "no answer") };
}

/**
 * @param {any} answer
 * @param {number} totalMs as the page measured it
 * @returns {import("./time-bar.js").Timing}
 */
export function readTiming(answer, totalMs) {
  const own = answer?.timing ?? {};
  return {
    totalMs,
    queueMs: own.queueMs ?? null,
    inferenceMs: own.inferenceMs ?? null,
    firstMs: own.firstTokenMs ?? null,
    serverMs: own.totalMs ?? null,
  };
}
