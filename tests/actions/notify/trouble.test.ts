import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { UnpackedAction } from "../gate/runner.ts";
import { stories } from "../../eval/report/stories.ts";
import { Refusal } from "../../../rehearsal/telegram/refusal.ts";
import type { Fault } from "../../../rehearsal/telegram/state.ts";
import { addChat, startTelegram, type StandInTelegram } from "../../../rehearsal/telegram/server.ts";
import { notifyInputs } from "../../../bot/notify/inputs.ts";
import { runNotify, unpackNotify, type NotifyOptions } from "./step.ts";

const group = -1001234567890;
let action: UnpackedAction;
let telegram: StandInTelegram;
beforeAll(async () => {
  action = await unpackNotify();
});
afterAll(() => {
  action.remove();
});
beforeEach(async () => {
  telegram = await startTelegram();
  addChat(telegram.state, { id: group });
});
afterEach(() => telegram.close());

async function notify(options: Partial<NotifyOptions> = {}) {
  const run = await runNotify({
    action,
    inputFiles: { verdict: stories.fail },
    ...options,
    inputs: {
      token: telegram.token,
      chat: String(group),
      "api-root": telegram.url,
      "github-token": "",
      ...options.inputs,
    },
  });
  for (const text of [run.log.replaceAll(/^::add-mask::.*$/gm, ""), run.summary, JSON.stringify(run.outputs)])
    expect(text).not.toContain(telegram.token.split(":")[1]);
  return run;
}
const refusal = (code: number, words: string): Fault["does"] => ({ kind: "refuse", refusal: new Refusal(code, words) });

describe("nothing that Telegram does fails the step", () => {
  it.each<[name: string, does: Fault["does"], words: string]>([
    ["401", refusal(401, "Unauthorized"), "401 Unauthorized"],
    ["403", refusal(403, "Forbidden: bot was kicked from the supergroup chat"), "bot was kicked"],
    ["no such chat", refusal(400, "Bad Request: chat not found"), "chat not found"],
    ["a proxy's page", { kind: "html", status: 200 }, "not JSON"],
    ["a reset", { kind: "reset" }, "sendRichMessage"],
    [
      "a 429 for an hour",
      { kind: "refuse", refusal: new Refusal(429, "Too Many Requests: retry after 3600", { retry_after: 3600 }) },
      "retry after 3600",
    ],
  ])("%s: a warning, the card in the summary, exit 0", async (_, does, words) => {
    telegram.fail({ method: "*", times: 99, does });
    const run = await notify();
    expect([run.code, run.outputs["status"]]).toEqual([0, "failed"]);
    expect(run.log).toMatch(/^::warning title=Telegram card not delivered::mood: /m);
    expect(run.log).toContain(words);
    expect(run.summary).toContain("    ❌ mood 1.1.0: FAIL");
    expect(run.summary).toContain("loss < 0.005");
  });

  it("no server listens", async () => {
    const run = await notify({ inputs: { "api-root": "http://127.0.0.1:9" } });
    expect([run.code, run.outputs["status"]]).toEqual([0, "failed"]);
    expect(run.log).toContain("ECONNREFUSED");
  }, 60_000);

  it("except with fail-on-error: exit 5", async () => {
    telegram.fail({ method: "*", times: 99, does: refusal(401, "Unauthorized") });
    expect((await notify({ inputs: { "fail-on-error": "true" } })).code).toBe(5);
  });

  it("retries after a 429 with a short pause and after a 502", async () => {
    telegram.fail({
      method: "sendRichMessage",
      times: 1,
      does: { kind: "refuse", refusal: new Refusal(429, "Too Many Requests: retry after 1", { retry_after: 1 }) },
    });
    telegram.fail({ method: "sendRichMessage", times: 1, does: { kind: "html", status: 502 } });
    const run = await notify();
    expect([run.code, run.outputs["status"]]).toEqual([0, "sent"]);
    expect(run.log).toContain("trying again in 1.0 s");
    expect(telegram.state.messages).toHaveLength(1);
  });
});

describe("wrong usage", () => {
  it.each<[name: string, options: Partial<NotifyOptions>, words: string]>([
    ["a file that is not there", { inputFiles: {}, inputs: { verdict: "nowhere.json" } }, "input verdict"],
    ["a file that is not JSON", { inputFiles: { verdict: "<html>" } }, "the file is not JSON"],
    ["a file of another kind", { inputFiles: { verdict: "{}" } }, "the file is not what it should be"],
    ["a receipt without an outcome", { inputFiles: { deployment: { schemaVersion: 1 } } }, "outcome"],
    ["a word that `when` does not know", { inputs: { when: "sometimes" } }, "always, change, failure"],
    ["a chat that is none", { inputs: { chat: "my chat" } }, "input chat"],
  ])("%s: a warning, or exit 2 with fail-on-error", async (_, options, words) => {
    const run = await notify(options);
    expect([run.code, run.outputs["status"]]).toEqual([0, "failed"]);
    expect(run.log).toContain(words);
    expect(run.log).toContain("::warning");
    expect(run.summary).toContain(words);
    expect((await notify({ ...options, inputs: { ...options.inputs, "fail-on-error": "true" } })).code).toBe(2);
    expect(telegram.transcript).toEqual([]);
  });

  it.each<[name: string, inputs: Record<string, string>, inputFiles: NotifyOptions["inputFiles"], words: string]>([
    ["no token", { token: "" }, { verdict: stories.pass }, "there is no token"],
    ["no chat", { chat: "" }, { verdict: stories.pass }, "there is no chat"],
    ["no model", {}, {}, "there is no model to tell about"],
  ])("%s: skipped, said in the summary", async (_, inputs, inputFiles, words) => {
    const run = await notify({ inputs, ...(inputFiles === undefined ? {} : { inputFiles }) });
    expect([run.code, run.outputs["status"]]).toEqual([0, "skipped"]);
    expect(run.summary).toContain(words);
    expect(telegram.transcript).toEqual([]);
  });
});

it("has at most twelve inputs, because nobody reads more", () => {
  expect(Object.keys(notifyInputs.shape).length).toBeLessThanOrEqual(12);
});

it("dry-run prints the card and sends nothing", async () => {
  const run = await notify({ inputs: { "dry-run": "true" } });
  expect([run.code, run.outputs["status"]]).toEqual([0, "dry-run"]);
  expect(run.log).toContain("❌ mood 1.1.0: FAIL");
  expect(run.summary).toContain("dry-run: nothing was sent");
  expect(telegram.transcript).toEqual([]);
});

it("a hostile verdict commands neither the runner nor Telegram", async () => {
  const model = stories.fail.models[0] as NonNullable<(typeof stories.fail.models)[0]>;
  const reason = "\n::error::forged\n##[error]x <b>@everyone</b> https://evil.example /deploy";
  const run = await notify({
    inputFiles: {
      verdict: {
        ...stories.fail,
        reason,
        models: [{ ...model, reason, model: { ...model.model, id: "m\n::set-output name=x::y" } }],
      },
    },
  });
  expect(run.log).not.toMatch(/^::(error|set-output)/m);
  expect(run.log).not.toMatch(/^##\[/m);
  expect(run.outputs["status"]).toBe("sent");
  expect(JSON.stringify(telegram.state.messages[0]?.rich)).not.toMatch(/@everyone|:\/\/evil/);
  expect(telegram.violations).toEqual([]);
});
