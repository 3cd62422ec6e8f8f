import { describe, expect, it } from "vitest";
import { conditionalFetch } from "../../github/conditional-fetch.ts";

/** A server in a function: counts what it answers whole, and says 304 to whoever has the answer. */
function versioned(bodies: { current: string }, type = "application/json") {
  const seen: { status: number; method: string }[] = [];
  const transport: typeof fetch = async (_url, init) => {
    const headers = new Headers(init?.headers);
    const etag = `"${headers.get("authorization")}${bodies.current}"`;
    const method = init?.method ?? "GET";
    const status = method === "GET" && headers.get("if-none-match") === etag ? 304 : 200;
    seen.push({ status, method });
    return new Response(status === 304 ? null : bodies.current, { status, headers: { etag, "content-type": type } });
  };
  return { transport, statuses: () => seen.map((one) => one.status) };
}

const as = (token: string, method = "GET") => ({ method, headers: { authorization: token } });

describe("conditional requests", () => {
  it("an answer that has not changed is given again, whole", async () => {
    const bodies = { current: '{"a":1}' };
    const { transport, statuses } = versioned(bodies);
    const ask = conditionalFetch(transport);
    expect(await (await ask("http://x/1", as("t"))).json()).toEqual({ a: 1 });
    const again = await ask("http://x/1", as("t"));
    expect([again.status, again.headers.get("content-type"), await again.json()]).toEqual([
      200,
      "application/json",
      { a: 1 },
    ]);
    bodies.current = '{"a":2}';
    expect(await (await ask("http://x/1", as("t"))).json()).toEqual({ a: 2 });
    expect(statuses()).toEqual([200, 304, 200]);
  });

  it.each([
    ["another person", ["http://x/1", as("a")], ["http://x/1", as("b")]],
    ["another address", ["http://x/1", as("a")], ["http://x/2", as("a")]],
    ["a write", ["http://x/1", as("a")], ["http://x/1", as("a", "POST")]],
  ] as const)("%s gets an answer of their own", async (_, [firstUrl, first], [secondUrl, second]) => {
    const { transport, statuses } = versioned({ current: "{}" });
    const ask = conditionalFetch(transport);
    await ask(firstUrl, first);
    await ask(secondUrl, second);
    expect(statuses()).toEqual([200, 200]);
  });

  it("what is no JSON, or too large to keep, is asked for whole each time", async () => {
    for (const [body, type] of [
      ["PK", "application/zip"],
      [JSON.stringify("x".repeat(1024 * 1024)), "application/json"],
    ] as const) {
      const { transport, statuses } = versioned({ current: body }, type);
      const ask = conditionalFetch(transport);
      expect(await (await ask("http://x/1", as("a"))).text()).toBe(body);
      expect(await (await ask("http://x/1", as("a"))).text()).toBe(body);
      expect(statuses()).toEqual([200, 200]);
    }
  });
});
