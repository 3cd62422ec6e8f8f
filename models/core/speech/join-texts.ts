import type { HeadResult, TextResult } from "../postprocess/result.ts";

/** One segment's answer: where it is, in seconds, and what each head says. */
export type AnsweredSegment = { start: number; end: number; heads: Readonly<Record<string, HeadResult>> };

/** Seconds to the millisecond. */
export const seconds = (samples: number, rate: number): number => Math.round((1000 * samples) / rate) / 1000;

/**
 * The answer to a whole sound from those to its segments: their texts in order, and where each was said. Without any
 * speech the text is empty.
 */
export function joinTexts(
  heads: readonly string[],
  segments: readonly AnsweredSegment[],
  separator: string,
): Record<string, HeadResult> {
  return Object.fromEntries(
    heads.map((head) => {
      const parts = segments.map(({ start, end, heads: own }) => ({ start, end, result: own[head] as TextResult }));
      const spoken = parts.map(({ result }) => result.text.trim()).filter((text) => text !== "");
      const unfinished = parts.find(({ result }) => result.finishReason !== "stop");
      const joined: TextResult = {
        kind: "text",
        text: spoken.join(separator),
        finishReason: unfinished?.result.finishReason ?? "stop",
        usage: null,
        segments: parts.map(({ start, end, result }) => ({ start, end, text: result.text.trim() })),
      };
      return [head, joined];
    }),
  );
}
