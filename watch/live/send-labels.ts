import { z } from "zod";
import { formatOf, openReader } from "../../eval/dataset/formats/open.ts";
import { placeName } from "../../eval/dataset/formats/reading.ts";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import type { ReadDeps } from "./read.ts";

/** Items of one request; the server takes as many. */
const BATCH = 1000;
const TIMEOUT_MS = 60_000;

const labelRow = z.object({
  predictionId: z.string().min(1).max(64),
  label: z.union([z.string(), z.number(), z.boolean()]),
  head: z.string().optional(),
  slices: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
type LabelRow = z.infer<typeof labelRow>;

const answered = z.object({ results: z.array(z.object({ result: z.string() })) });

/** What became of the labels of a file, by the servers' words. */
export type SentLabels = Readonly<Record<string, number>>;

/**
 * Reads true labels by prediction id from a file (CSV, JSON Lines, JSON or Parquet with the columns predictionId, label
 * and, where several heads take labels, head; every other column is a slice), and sends them to a model's servers. A server that does not know a
 * prediction says `unknown`; with several servers, each label goes to those that have not recorded it yet. Sending a
 * file twice changes nothing.
 *
 * @returns labels by what became of them at last
 * @throws ConfigurationError `labels-file` naming the row; EvaluationError `labels-refused`
 */
export async function sendLabels(
  file: string,
  model: string,
  origins: readonly string[],
  deps: ReadDeps,
): Promise<SentLabels> {
  const tally: Record<string, number> = {};
  let batch: LabelRow[] = [];
  const send = async () => {
    for (const result of await resultsOf(batch, model, origins, deps)) tally[result] = (tally[result] ?? 0) + 1;
    batch = [];
  };
  for await (const row of rowsOf(file)) {
    batch.push(row);
    if (batch.length === BATCH) await send();
  }
  if (batch.length > 0) await send();
  return tally;
}

/** One result per row. */
async function resultsOf(
  rows: readonly LabelRow[],
  model: string,
  origins: readonly string[],
  deps: ReadDeps,
): Promise<string[]> {
  const results = rows.map(() => "unknown");
  for (const origin of origins) {
    const left = results.flatMap((result, i) => (result === "unknown" ? [i] : []));
    if (left.length === 0) break;
    const said = await post(
      origin,
      model,
      left.map((i) => rows[i]!),
      deps,
    );
    left.forEach((i, k) => {
      results[i] = said[k]!;
    });
  }
  return results;
}

async function post(origin: string, model: string, feedback: readonly LabelRow[], deps: ReadDeps): Promise<string[]> {
  const url = `${origin}/models/${model}/feedback`;
  const refuse = (received: string, hint?: string) =>
    new EvaluationError({
      code: "labels-refused",
      place: url,
      problem: "the server did not take the labels",
      expected: "200 with one result per label",
      received,
      ...(hint === undefined ? {} : { hint }),
    });
  let response: Response;
  let text: string;
  try {
    response = await deps.fetch(url, {
      method: "POST",
      redirect: "error",
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(deps.signal === undefined ? [] : [deps.signal])]),
      headers: { "content-type": "application/json", accept: "application/json", ...deps.headersOf?.(origin) },
      body: JSON.stringify({ feedback }),
    });
    text = await response.text();
  } catch (error) {
    deps.signal?.throwIfAborted();
    throw refuse((error as Error).message);
  }
  const parsed = answered.safeParse(jsonOf(text));
  if (parsed.success && parsed.data.results.length === feedback.length)
    return parsed.data.results.map(({ result }) => result);
  const said = /"detail":"([^"]{1,200})/.exec(text)?.[1];
  throw refuse(
    `${response.status}${said === undefined ? "" : `: ${said}`}`,
    response.status === 401 ? "set SLUICE_API_KEY" : undefined,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function* rowsOf(file: string): AsyncGenerator<LabelRow> {
  const format = await formatOf(file, file, undefined);
  // An id or a label that looks like a number is a text in a CSV file, unless it is one.
  const types = new Map([
    ["predictionId", "text" as const],
    ["head", "text" as const],
  ]);
  const { readings, style } = await openReader(file, file, format, types);
  for await (const reading of readings) {
    const place = placeName(file, style, reading.at);
    const refuse = (received: string) =>
      new ConfigurationError({
        code: "labels-file",
        place,
        problem: "the row is no label of a prediction",
        expected: "the columns predictionId and label, head where several heads take labels, and slices",
        received,
        example: '{"predictionId": "4f1c…:0", "label": 8310}',
      });
    if (reading.kind === "malformed") throw refuse(reading.reason);
    const { predictionId, label, head, ...others } = reading.fields;
    // Every other column is a slice, as in a file of predictions.
    const slices = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== null && value !== ""));
    const parsed = labelRow.safeParse({
      predictionId,
      label,
      ...(head == null || head === "" ? {} : { head }),
      ...(Object.keys(slices).length === 0 ? {} : { slices }),
    });
    if (!parsed.success)
      throw refuse(`${parsed.error.issues[0]?.path.join(".") ?? ""}: ${parsed.error.issues[0]?.message ?? ""}`);
    yield parsed.data;
  }
}
