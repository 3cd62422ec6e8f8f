import pLimit from "p-limit";
import type { Row } from "../../../models/core/row.ts";
import type { RequestDeadline } from "../scheduling/scheduler.ts";
import type { ServedModel } from "../serving/served-model.ts";
import type { FieldProblem } from "./problem.ts";

const CONCURRENCY = 4;
const MAX_FETCH_MS = 10_000;

const isUrl = (value: unknown): value is string => typeof value === "string" && /^https?:\/\//i.test(value);

/** Why an image was not fetched, for a field that has a placeholder. */
export type UnfetchedNote = { field: string; problem: string };

/**
 * Replaces public URLs in image fields with the bytes that they lead to. Rows without URLs stay as they are.
 *
 * @returns the rows; by row, the problems (a URL that was not fetched, or URLs are switched off for the field) and the
 *   notes (a URL that was not fetched although the field has a placeholder; the field is then null).
 */
export async function withImages(
  rows: readonly Row[],
  model: Pick<ServedModel, "imageFields">,
  enabled: boolean,
  requestDeadline: RequestDeadline,
): Promise<{ rows: Row[]; problems: Map<number, FieldProblem[]>; notes: Map<number, UnfetchedNote[]> }> {
  const out = [...rows];
  const problems = new Map<number, FieldProblem[]>();
  const wanted = out.flatMap((row, index) =>
    model.imageFields
      .filter(({ name }) => isUrl(row[name]))
      .map((field) => ({ index, ...field, url: row[field.name] as string })),
  );
  const notes = new Map<number, UnfetchedNote[]>();
  const addProblem = (index: number, field: string, problem: string, allowed: boolean) =>
    problems.set(index, [
      ...(problems.get(index) ?? []),
      {
        field,
        problem,
        expected: allowed
          ? "a public http(s) URL of an image, or its base64 bytes"
          : "the base64 bytes of an image; URLs are switched off here",
      },
    ]);
  const left = wanted.filter(({ urls }) => enabled || urls);
  for (const { index, name, urls } of wanted) if (!enabled && !urls) addProblem(index, name, "a URL", false);
  if (left.length > 0) {
    // Loaded only by servers that fetch images.
    const { FetchRefused, safeFetch } = await import("./safe-fetch.ts");
    await pLimit(CONCURRENCY).map(left, async ({ index, name, url, maxBytes, optional }) => {
      try {
        const timeoutMs = Math.max(
          1,
          Math.min(MAX_FETCH_MS, Math.floor(requestDeadline.deadlineAt - performance.now())),
        );
        const bytes = await safeFetch(url, { maxBytes, timeoutMs, signal: requestDeadline.disconnect?.signal() });
        out[index] = { ...out[index], [name]: bytes };
      } catch (error) {
        if (!(error instanceof FetchRefused)) throw error;
        const problem = `the image was not fetched: ${error.message}`;
        if (!optional) addProblem(index, name, problem, true);
        else {
          out[index] = { ...out[index], [name]: null };
          notes.set(index, [...(notes.get(index) ?? []), { field: name, problem }]);
        }
      }
    });
  }
  return { rows: out, problems, notes };
}
