import { beforeAll, describe, expect, it } from "vitest";
import fc from "fast-check";
import { askRaw, brokenBytes, malformedRequest, oddities, type Oddity } from "./malformed.ts";
import { metric, modelFolder, serve, served, until, type ServerProcess } from "./harness.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await serve([modelFolder(served()), "models/births", "models/mood"], ["--request-timeout-ms", "5000"]);
});

async function check(oddity: Oddity): Promise<void> {
  const problem = await oddities(server.url, oddity);
  expect(problem).toBeNull();
}

describe("malformed requests", () => {
  it("never crash the server, never give a 500 or a stack trace", async () => {
    await fc.assert(fc.asyncProperty(malformedRequest(["linear", "births", "mood"]), check), {
      numRuns: 400,
      seed: 4,
      endOnFailure: true,
    });
    expect((await server.get("/livez")).status).toBe(200);
    expect(server.log().filter(({ level }) => level === "error")).toEqual([]);
  });

  it("that are not even HTTP are answered or cut off, and do not keep their sockets", async () => {
    const { port } = new URL(server.url);
    await fc.assert(
      fc.asyncProperty(brokenBytes(), async (bytes) => {
        const answer = await askRaw(Number(port), bytes);
        expect(answer).not.toMatch(/^HTTP\/1\.1 500|node_modules|at \S+ \(/);
      }),
      { numRuns: 150, seed: 5, endOnFailure: true },
    );
    // It takes a moment until the server notices that the last sockets have ended.
    expect(
      await until(async () => ((await metric(server, "http_requests_in_flight")) === 1 ? "only this one" : undefined)),
    ).toBe("only this one");
    expect((await server.post("/predict", { a: 1, b: 2, c: 3 })).status).toBe(200);
    expect(server.log().filter(({ level }) => level === "error")).toEqual([]);
  });
});
