import { EvaluationError } from "../../../models/core/errors.ts";
import type { CellType } from "./cells.ts";
import { isRecord, parseExactJson } from "./exact-json.ts";
import type { Reading } from "./reading.ts";

/**
 * Records of one JSON array of objects; `at` is the item's position. The file is held in memory: above about 500 MB
 * use JSON Lines. Integers beyond 2^53 become text, except in the columns that `types` reads as numbers.
 * @throws EvaluationError `json-unreadable` when the file is not JSON or not an array
 */
export async function* readJson(
  chunks: AsyncIterable<Buffer>,
  name: string,
  types: ReadonlyMap<string, CellType>,
): AsyncGenerator<Reading> {
  const bytes: Buffer[] = [];
  for await (const chunk of chunks) bytes.push(chunk);
  let items: unknown;
  try {
    items = parseExactJson(Buffer.concat(bytes).toString("utf8"), types);
  } catch (cause) {
    throw new EvaluationError(
      {
        code: "json-unreadable",
        place: name,
        problem: "the file cannot be read as JSON",
        received: (cause as Error).message,
        hint: "one object per line is JSON Lines: name the file .jsonl or say `format: jsonl`",
      },
      { cause },
    );
  }
  if (!Array.isArray(items))
    throw new EvaluationError({
      code: "json-unreadable",
      place: name,
      problem: "the file is JSON but not an array of rows",
      expected: "[{…}, {…}]",
      received: items === null ? "null" : typeof items,
    });
  for (const [index, fields] of items.entries()) {
    if (isRecord(fields)) yield { kind: "record", index, at: index, fields };
    else yield { kind: "malformed", index, at: index, reason: "not a JSON object" };
  }
}
