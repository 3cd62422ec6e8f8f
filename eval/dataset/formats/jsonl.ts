import { EvaluationError } from "../../../models/core/errors.ts";
import type { CellType } from "./cells.ts";
import { isRecord, parseExactJson } from "./exact-json.ts";
import type { Reading } from "./reading.ts";

/** Longest line. It stops a small packed file from filling the memory. */
const maxLineBytes = 128 * 2 ** 20;

/**
 * Lines without their ends: "\n", "\r\n" or "\r", none of which a JSON text may hold within a string. (readline would
 * also cut at U+2028, which it may hold.)
 */
async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let afterReturn = false;
  for await (const chunk of chunks) {
    let from = 0;
    if (afterReturn && chunk[0] === 10) from = 1;
    afterReturn = false;
    let feed = chunk.indexOf(10, from);
    let carriage = chunk.indexOf(13, from);
    while (feed !== -1 || carriage !== -1) {
      const atReturn = carriage !== -1 && (feed === -1 || carriage < feed);
      const end = atReturn ? carriage : feed;
      rest.push(chunk.subarray(from, end));
      yield rest.length === 1 ? rest[0]! : Buffer.concat(rest);
      rest = [];
      restBytes = 0;
      from = end + 1;
      if (atReturn && from === feed) from++;
      else if (atReturn && from === chunk.length) afterReturn = true;
      if (feed !== -1 && feed < from) feed = chunk.indexOf(10, from);
      if (carriage !== -1 && carriage < from) carriage = chunk.indexOf(13, from);
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > maxLineBytes)
      throw new EvaluationError({
        code: "line-too-long",
        problem: "a line of the file is too long",
        expected: `one JSON object per line, of at most ${maxLineBytes} bytes`,
      });
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

/**
 * Records of a JSON Lines file (UTF-8, one object per line; blank lines are skipped) one by one; `at` is the line.
 * Integers beyond 2^53 become text, except in the columns that `types` reads as numbers.
 *
 * @throws EvaluationError `line-too-long`
 */
export async function* readJsonLines(
  chunks: AsyncIterable<Buffer>,
  types: ReadonlyMap<string, CellType>,
): AsyncGenerator<Reading> {
  let at = 0;
  let index = 0;
  for await (const bytes of lines(chunks)) {
    at += 1;
    const text = bytes.toString("utf8");
    if (text.trim() === "") continue;
    try {
      const fields = parseExactJson(text, types);
      if (isRecord(fields)) yield { kind: "record", index, at, fields };
      else yield { kind: "malformed", index, at, reason: "not a JSON object" };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      yield { kind: "malformed", index, at, reason: `malformed JSON: ${error.message.slice(0, 120)}` };
    }
    index += 1;
  }
}
