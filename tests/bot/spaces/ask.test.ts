import { describe, expect, it } from "vitest";
import { askPrediction, askReady } from "../../../bot/spaces/ask.ts";
import { spaceHeaders } from "../../../bot/spaces/key.ts";

describe("the key of Spaces", () => {
  it.each([
    ["https://acme-models.hf.space", "Bearer secret"],
    ["http://127.0.0.1:7860", "Bearer secret"],
    ["http://models.example", null],
  ])("%s gets %j, for a question and for a row", async (origin, expected) => {
    const sent: (string | null)[] = [];
    const deps = {
      timeoutMs: 1000,
      headersOf: (of: string) => spaceHeaders(of, "secret"),
      fetch: async (_url: unknown, init?: RequestInit) => {
        sent.push(new Headers(init?.headers).get("authorization"));
        return Response.json({ heads: {} });
      },
    };
    expect((await askReady(deps, origin)).ok).toBe(true);
    expect((await askPrediction(deps, origin, "mood", { text: "x" })).ok).toBe(true);
    expect(sent).toEqual([expected, expected]);
  });
});
