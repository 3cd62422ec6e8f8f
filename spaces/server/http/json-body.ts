import { isUtf8 } from "node:buffer";
import { Problem } from "./problem.ts";

/** @throws Problem 400 that tells where the text stops being JSON, and none of its content. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw new Problem(400, "empty-body", "the body is empty; JSON was announced");
  const text = body.toString("utf8");
  // Only a text with the sign for what could not be read can be of other bytes than it was made of.
  if (text.includes("\uFFFD") && !isUtf8(body)) throw new Problem(400, "bad-json", "the body is not UTF-8");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The engine's message quotes the input.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new Problem(
      400,
      "bad-json",
      at === undefined ? "the body is not JSON" : `the body is not JSON at character ${at}`,
    );
  }
}
