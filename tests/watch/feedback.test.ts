import { beforeAll, describe, expect, it } from "vitest";
import { gatedModel, riskRows, served, type Served } from "./live-model.ts";

let server: Served;
let dir = "";
beforeAll(async () => {
  ({ dir } = await gatedModel());
  server = await served(dir, { feedbackPredictions: 50 });
}, 60_000);

const predict = async (): Promise<string> =>
  String((await server.post("predict", riskRows(1, 20)[0]!.row)).json["predictionId"]);

describe("feedback", () => {
  it("takes a label once: the same again changes nothing, another one is refused", async () => {
    const predictionId = await predict();
    const answers = [];
    for (const label of ["yes", "yes", "no"]) answers.push(await server.post("feedback", { predictionId, label }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 409]);
    expect(answers.map(({ json }) => json["result"] ?? json["code"])).toEqual([
      "recorded",
      "repeated",
      "feedback-conflict",
    ]);
  });

  it("takes an event of each name once, with its value", async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, predict));
    for (const predictionId of ids)
      for (const _ of [1, 2]) await server.post("feedback", { predictionId, event: "purchase", value: 2.5 });
    const { hours } = await server.counts();
    expect(hours.at(-1)!.events["purchase"]).toEqual({ n: 10, sum: 25 });
  });

  it.each([
    [
      "a guessed id",
      (id: string) => ({ predictionId: id.replace(/.$/, (last) => (last === "a" ? "b" : "a")), label: "yes" }),
      404,
    ],
    [
      "an id of another server",
      (id: string) => ({ predictionId: id.replace(/^.{12}/, "0123456789ab"), label: "yes" }),
      404,
    ],
    ["no label of the head", (id: string) => ({ predictionId: id, label: "maybe" }), 422],
    ["another head", (id: string) => ({ predictionId: id, head: "mood", label: "yes" }), 422],
    ["label and event at once", (id: string) => ({ predictionId: id, label: "yes", event: "click" }), 422],
    ["neither", (id: string) => ({ predictionId: id }), 422],
    ["an event that is markup", (id: string) => ({ predictionId: id, event: "<script>" }), 422],
    ["a value that is not finite", (id: string) => ({ predictionId: id, event: "click", value: 1e300 }), 422],
    ["no object", () => ["yes"], 422],
    ["an unknown field", (id: string) => ({ predictionId: id, label: "yes", note: "x" }), 422],
  ])("refuses %s", async (_, body, status) => {
    const before = (await server.counts()).feedback["recorded"] ?? 0;
    const answer = await server.post("feedback", body(await predict()));
    expect(answer.status).toBe(status);
    expect((await server.counts()).feedback["recorded"] ?? 0).toBe(before);
  });

  it("forgets the oldest predictions, and says so", async () => {
    const predictionId = await predict();
    await server.ask(riskRows(50, 21));
    const { status, json } = await server.post("feedback", { predictionId, label: "yes" });
    expect({ status, detail: json["detail"] }).toEqual({ status: 404, detail: expect.stringContaining("too old") });
  });

  it("of many at once tells each one's result, by its place in the request", async () => {
    const id = await server.ask(riskRows(3, 22));
    const { json } = await server.post("feedback", {
      feedback: [
        { predictionId: `${id}:0`, label: "yes" },
        { predictionId: `${id}:0`, label: "yes" },
        { predictionId: `${id}:7`, label: "yes" },
        { predictionId: `${id}:1` },
      ],
    });
    expect(json).toMatchObject({ recorded: 1, repeated: 1, refused: 2 });
    expect((json["results"] as { field?: string }[]).map(({ field }) => field)).toEqual([
      undefined,
      undefined,
      "feedback[2].predictionId",
      expect.stringContaining("feedback[3]"),
    ]);
  });

  it("joins the rows of a batch by their place among the rows sent, refused ones included", async () => {
    const [good] = riskRows(1, 23);
    const sent = await server.post("predict/batch", { rows: [{ a: 99, b: 0, c: 0 }, good!.row] });
    const id = String(sent.json["predictionId"]);
    const results = [];
    for (const row of [0, 1])
      results.push((await server.post("feedback", { predictionId: `${id}:${row}`, label: "no" })).status);
    expect(results).toEqual([404, 200]);
  });

  it("is described by the OpenAPI document, like the counts", async () => {
    const api = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    expect(Object.keys(api.paths)).toEqual(expect.arrayContaining(["/models/risk/watch", "/models/risk/feedback"]));
  });

  it("needs a key where the server asks for keys", async () => {
    const { writeFileSync } = await import("node:fs");
    const { join } = await import("node:path");
    const keysFile = join(dir, "keys");
    writeFileSync(keysFile, `team ${"0".repeat(64)}\n`);
    const locked = await served(dir, { keysFile });
    expect((await locked.post("feedback", {})).status).toBe(401);
    expect((await fetch(`${locked.url}/models/risk/watch`)).status).toBe(401);
  });
});
