import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { AdviceFile } from "../../../eval/schema/advice.ts";
import { startInferenceEndpoint, type InferenceEndpoint } from "../../../rehearsal/inference/server.ts";
import { root, temporaryFolder } from "./harness.ts";

const TOKEN = "hf_standInTokenThatNobodyMayPrint0123";
const GERMAN = "Das tut mir leid, ich hoffe, dass es dir bald besser geht und dass der Tag noch schön wird.";
const KIND = "What a day that exam must have been; I hope that you are proud of what you did.";

let endpoint: InferenceEndpoint;
let dir: string;
beforeAll(async () => {
  endpoint = await startInferenceEndpoint();
  dir = temporaryFolder();
  cpSync(join(root, "models/births"), join(dir, "models/births"), {
    recursive: true,
    filter: (path) => !/\/(train|production)$/.test(path),
  });
  mkdirSync(join(dir, "models/reply"), { recursive: true });
  writeFileSync(
    join(dir, "models/reply/model.yaml"),
    stringify({
      schemaVersion: 1,
      id: "reply",
      version: "1.0.0",
      task: "text-generation",
      backend: "hf-inference",
      model: "some-org/some-model",
      inputs: { text: { type: "text" } },
      prompt: { template: "{{text}}" },
      limits: { concurrency: 1, timeoutMs: 400 },
      retry: { attempts: 1 },
      breaker: { failures: 50 },
      prices: { inputPerMillionTokens: 1, outputPerMillionTokens: 2 },
      pair: { model: "births" },
      advice: {
        prompts: "prompts.jsonl",
        checks: [
          { kind: "length", min: 5, max: 60, atLeast: 0.5 },
          { kind: "language", language: "en", atLeast: 0.5 },
          { kind: "mentions", atLeast: 0.5 },
          { kind: "refusals", atLeast: 0.5 },
          { kind: "time", maxMs: 400, atLeast: 0.5 },
        ],
      },
    }),
  );
  writeFileSync(
    join(dir, "models/reply/prompts.jsonl"),
    Array.from(
      { length: 8 },
      (_, i) => `${JSON.stringify({ id: `p${i}`, text: "I passed my exam", mentions: ["exam"] })}\n`,
    ).join(""),
  );
  writeFileSync(join(dir, "sluice.yaml"), stringify({ schemaVersion: 1, models: ["models/births", "models/reply"] }));
});
afterAll(async () => {
  await endpoint.close();
});
beforeEach(() => {
  endpoint.calls.length = 0;
  endpoint.plan({ kind: "ok", text: KIND });
});

async function sluice(args: readonly string[], token: string | null, url = endpoint.url) {
  const child = spawn(join(root, "node_modules/node/bin/node"), [join(root, "cli.ts"), ...args], {
    cwd: dir,
    env: {
      PATH: process.env["PATH"] ?? "",
      HF_INFERENCE_ENDPOINT: url,
      ...(token === null ? {} : { HF_TOKEN: token }),
    },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += String(chunk);
  });
  const code = await new Promise<number | null>((done) => {
    child.once("close", done);
  });
  return { code, stdout, stderr };
}
const advice = () => JSON.parse(readFileSync(join(dir, ".sluice/advice.json"), "utf8")) as AdviceFile;

describe("the gate and a remote model", () => {
  it("sends its prompts and reports the answers, which never change the verdict", async () => {
    endpoint.plan(
      { kind: "ok", text: KIND },
      { kind: "ok", text: GERMAN },
      { kind: "ok", text: "I'm sorry, but I can't help with that exam." },
      { kind: "hang" },
      { kind: "cut", pieces: 3 },
      { kind: "ok", text: "Exam!" },
      { kind: "ok", text: KIND, finishReason: "length" },
      { kind: "refuse", status: 429, retryAfter: "60" },
    );
    const { code, stdout, stderr } = await sluice(["gate", "reply"], TOKEN);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /reply 1\.0\.0: advisory, decides nothing\n {2}some-org\/some-model · 8 prompts, 5 answered/,
    );
    expect(stdout).not.toMatch(/PASS|FAIL|ERROR/);
    expect(endpoint.calls).toHaveLength(8);
    const [model] = advice().models;
    expect(model).toMatchObject({
      state: "measured",
      prompts: 8,
      answered: 5,
      failures: { deadline: 1, "remote-failed": 1, "remote-busy": 1 },
    });
    expect(model!.checks.map(({ kind, kept, n, broken }) => [kind, kept, n, broken])).toEqual([
      ["length", 3, 5, ["p5", "p6"]],
      ["language", 3, 5, ["p1", "p5"]],
      ["mentions", 4, 5, ["p1"]],
      ["refusals", 4, 5, ["p2"]],
      ["time", 5, 8, ["p3", "p4", "p7"]],
    ]);
    expect(model!.costPerThousand).toMatchObject({ currency: "USD", amount: expect.any(Number) as number });
    expect(readFileSync(join(dir, ".sluice/report.md"), "utf8")).toContain("| time | answer within 400 ms | 5/8 |");
    expect(
      readFileSync(join(dir, ".sluice/predictions/reply/advice.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { answer: { ok: boolean } }).answer.ok),
    ).toEqual([true, true, true, false, false, true, true, false]);
    expect(existsSync(join(dir, ".sluice/verdict.json"))).toBe(false);
    expect(stdout + stderr + readFileSync(join(dir, ".sluice/advice.json"), "utf8")).not.toContain(TOKEN);
  });

  it("says what to set when there is no token, and does not block the gate", async () => {
    const { code, stdout } = await sluice(["gate", "reply", "--json"], null);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as AdviceFile).models).toMatchObject([
      { state: "not-configured", reason: expect.stringContaining("set HF_TOKEN") as string, prompts: 8, answered: 0 },
    ]);
    expect(endpoint.calls).toHaveLength(0);
  });

  it("does not change a verdict: the exit code stays the same when the provider is down", async () => {
    endpoint.plan({ kind: "refuse", status: 500 });
    const { code, stdout, stderr } = await sluice(
      ["gate", "births", "reply", "--baseline", "none", "--no-performance", "--json"],
      TOKEN,
    );
    const verdict = JSON.parse(stdout) as { verdict: string; models: { model: { id: string } }[] };
    expect(verdict.models.map(({ model }) => model.id)).toEqual(["births"]);
    expect(code).toBe({ PASS: 0, FAIL: 1, INCONCLUSIVE: 3, INCOMPARABLE: 3, ERROR: 4 }[verdict.verdict]);
    expect(stderr).toContain("reply: asking 8 prompts");
    expect(advice().models[0]).toMatchObject({ answered: 0, failures: { "remote-failed": 8 } });
    const report = readFileSync(join(dir, ".sluice/report.md"), "utf8");
    expect(report.indexOf("births")).toBeLessThan(report.indexOf("advisory, decides nothing"));
  });

  it("does not withdraw a verdict when the advice cannot be made at all", async () => {
    const { code, stdout, stderr } = await sluice(
      ["gate", "--baseline", "none", "--no-performance", "--json"],
      TOKEN,
      "http://inference.example.com",
    );
    const { verdict } = JSON.parse(stdout) as { verdict: string };
    expect(code).toBe({ PASS: 0, FAIL: 1, INCONCLUSIVE: 3, INCOMPARABLE: 3, ERROR: 4 }[verdict]);
    expect(stderr).toContain("no advice on reply: HF_INFERENCE_ENDPOINT: the token would travel unencrypted");
    expect((await sluice(["gate", "reply"], TOKEN, "http://inference.example.com")).code).toBe(2);
  });

  it("refuses prompts that are not valid rows, naming the line", async () => {
    const file = join(dir, "models/reply/prompts.jsonl");
    const good = readFileSync(file, "utf8");
    writeFileSync(file, `${good}{"id": "p9", "text": 7}\n`);
    const { code, stderr } = await sluice(["gate", "reply"], TOKEN);
    writeFileSync(file, good);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /model\.yaml:\d+:\d+ advice\.prompts: a prompt is no row of this model[\s\S]*prompts\.jsonl:9: text/,
    );
  });

  it("leaves it out of `plan` with a note, and refuses it there when it is named", async () => {
    const beside = await sluice(["plan", "--json"], null);
    expect(beside.stderr).toContain("not gated, because a remote provider answers for them: reply");
    expect((JSON.parse(beside.stdout) as { models: object[] }).models).toHaveLength(1);
    const named = await sluice(["plan", "reply"], null);
    expect(named.code).toBe(2);
    expect(named.stderr).toMatch(
      /model\.yaml:5:1 backend: the model reply has no artifact: a remote provider answers for it[\s\S]*only that can be measured/,
    );
  });

  it("does not let a model that was measured at the merge base leave the gate", async () => {
    const git = (...args: string[]) => {
      execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], {
        cwd: dir,
        stdio: "pipe",
      });
    };
    git("init", "-q", "-b", "main");
    git("add", "-A");
    git("commit", "-q", "-m", "births is measured");
    git("checkout", "-q", "-b", "change");
    const manifest = join(dir, "models/births/model.yaml");
    const before = readFileSync(manifest);
    writeFileSync(
      manifest,
      stringify({
        schemaVersion: 1,
        id: "births",
        version: "9.0.0",
        task: "text-generation",
        backend: "hf-inference",
        model: "some-org/some-model",
        inputs: { text: { type: "text" } },
        prompt: { template: "{{text}}" },
      }),
    );
    for (const args of [["gate"], ["gate", "births"]]) {
      const { code, stderr } = await sluice(args, TOKEN);
      expect(stderr).toMatch(
        /births\/model\.yaml:\d+:\d+ backend: the model births was measured at the merge base with main, \w+, and nothing can judge that a remote provider answers for it now/,
      );
      expect(code).toBe(2);
    }
    writeFileSync(manifest, before);
  });
});
