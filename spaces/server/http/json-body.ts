import { isUtf8 } from "node:buffer";
import { Problem } from "./problem.ts";

/** @throws Problem 400 that says where the text stops being JSON, without quoting it. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw new Problem(400, "empty-body", "the body is empty; JSON was announced");
  // A byte order mark is no part of the text (RFC 8259, section 8.1).
  const text = body.toString("utf8", body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0);
  // Decoding puts U+FFFD in place of invalid bytes, so only a text that has one needs the check.
  if (text.includes("\uFFFD") && !isUtf8(body)) throw new Problem(400, "bad-json", "the body is not UTF-8");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The engine's own message quotes the input, so only the position is taken from it.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new Problem(
      400,
      "bad-json",
      at === undefined ? "the body is not JSON" : `the body is not JSON at character ${at}`,
    );
  }
}
