import { createReadStream } from "node:fs";
import type { Reading } from "./reading.ts";

/** Whether a parsed JSON value can be a row. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Lines as bytes without their "\n" (readline would also cut at U+2028, which JSON texts may contain). */
async function* lines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      rest.push(chunk.subarray(from, end));
      yield rest.length === 1 ? rest[0]! : Buffer.concat(rest);
      rest = [];
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

/** Records of a JSON Lines file (UTF-8, one object per line; blank lines are skipped) one by one; `at` is the line. */
export async function* readJsonLines(path: string): AsyncGenerator<Reading> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let at = 0;
  let index = 0;
  for await (const bytes of lines(path)) {
    at += 1;
    try {
      const text = utf8.decode(bytes);
      if (text.trim() === "") continue;
      const fields = JSON.parse(text) as unknown;
      if (isRecord(fields)) yield { kind: "record", index, at, fields };
      else yield { kind: "malformed", index, at, reason: "not a JSON object" };
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      yield {
        kind: "malformed",
        index,
        at,
        reason: error instanceof SyntaxError ? `malformed JSON: ${error.message.slice(0, 120)}` : "not UTF-8",
      };
    }
    index += 1;
  }
}
