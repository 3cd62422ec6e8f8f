import type { Row } from "../../../models/core/row.ts";
import type { RequestDeadline } from "../scheduling/scheduler.ts";
import type { ServedModel } from "../serving/served-model.ts";
import type { FieldProblem } from "./problem.ts";

const AT_ONCE = 4;
const LONGEST_MS = 10_000;

const isUrl = (value: unknown): value is string => typeof value === "string" && /^https?:\/\//i.test(value);

/** Of an image that was not fetched and has a placeholder: why. */
export type UnfetchedNote = { field: string; problem: string };

/**
 * Puts the bytes of public URLs in the place of image fields that hold one. Rows without any stay as they are.
 *
 * @returns the rows; problems by row: a URL that was not fetched, or any URL of a field for which they are switched
 * off;
 *   and notes by row: a URL that was not fetched for a field that has a placeholder, which is null then.
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
  const complain = (index: number, field: string, problem: string, allowed: boolean) =>
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
  for (const { index, name, urls } of wanted) if (!enabled && !urls) complain(index, name, "a URL", false);
  if (left.length > 0) {
    // Only servers that fetch images pay for the client.
    const { FetchRefused, safeFetch } = await import("./safe-fetch.ts");
    const lane = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const { index, name, url, maxBytes, optional } = next;
        try {
          const timeoutMs = Math.max(
            1,
            Math.min(LONGEST_MS, Math.floor(requestDeadline.deadlineAt - performance.now())),
          );
          const bytes = await safeFetch(url, { maxBytes, timeoutMs, signal: requestDeadline.disconnect?.signal() });
          out[index] = { ...out[index], [name]: bytes };
        } catch (error) {
          if (!(error instanceof FetchRefused)) throw error;
          const problem = `the image was not fetched: ${error.message}`;
          if (!optional) complain(index, name, problem, true);
          else {
            out[index] = { ...out[index], [name]: null };
            notes.set(index, [...(notes.get(index) ?? []), { field: name, problem }]);
          }
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, lane));
  }
  return { rows: out, problems, notes };
}
