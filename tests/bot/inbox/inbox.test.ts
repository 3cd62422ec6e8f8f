import { createHmac } from "node:crypto";
import { request } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Refusal } from "../../../rehearsal/telegram/refusal.ts";
import { ask, githubToken, linkAccount, said, sealingKey, until, world, type World } from "../harness.ts";

const secret = "telegram-webhook-secret-0123456789";
const githubSecret = "github-webhook-secret-0123456789";

let here: World;

afterEach(async () => {
  const { violations, token } = here.telegram;
  const printed = here.printed();
  const sent = JSON.stringify(here.telegram.state.messages);
  await here.close();
  expect(violations).toEqual([]);
  for (const hidden of [
    token,
    token.split(":")[1] as string,
    githubToken,
    sealingKey,
    secret,
    githubSecret,
    "ghu_standin",
  ]) {
    expect(printed).not.toContain(hidden);
    expect(sent).not.toContain(hidden);
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

type Sent = { path?: string; method?: string; headers?: Record<string, string>; chunks: (Buffer | string)[] };

/** Sends a request whose body is split into chunks. Returns the status of the answer, 0 if the connection was cut. */
function send(port: number, { path = "/telegram", method = "POST", headers = {}, chunks }: Sent): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request(
      { port, host: "127.0.0.1", path, method, headers: { "content-type": "application/json", ...headers } },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    outgoing.on("error", () => {
      resolve(0);
    });
    void (async () => {
      for (const chunk of chunks) {
        outgoing.write(chunk);
        await new Promise((next) => {
          setTimeout(next, 20);
        });
      }
      outgoing.end();
    })();
  });
}

describe("polling", () => {
  it("handles each update once, and those of a chat in the order they came, whatever their ids", async () => {
    here = await world();
    const { people } = here.telegram;
    // All updates exist before the bot starts, so they arrive in one batch, which telegraf would handle all at once.
    const updates = Array.from({ length: 12 }, (_, i) => people.says(here.ana, `/nonsense${i}`, { deliver: false }));
    const shuffled = [...updates.slice(6), ...updates.slice(0, 6)];
    for (const update of shuffled) people.deliver(update);
    await here.start();
    await until(() => said(here, here.ana.id).length === 12, "twelve answers");
    for (const update of updates) people.deliver({ ...update });
    await ask(here, here.ana, "/help");
    const answered = said(here, here.ana.id).flatMap(({ text }) => /nonsense(\d+)/.exec(text ?? "")?.[1] ?? []);
    expect(answered).toEqual(["6", "7", "8", "9", "10", "11", "0", "1", "2", "3", "4", "5"]);
    await here.stop();
    people.deliver(updates[3] as (typeof updates)[number]);
    await here.start();
    await ask(here, here.ana, "/help");
    expect(said(here, here.ana.id)).toHaveLength(14);
  });

  it("survives a getMe that fails, a proxy's HTML, and another poller", async () => {
    here = await world();
    here.telegram.fail({ method: "getMe", times: 2, does: { kind: "reset" } });
    here.telegram.fail({
      method: "getUpdates",
      times: 1,
      does: { kind: "html", status: 502, body: `<html>bot${here.telegram.token}</html>` },
    });
    here.telegram.fail({
      method: "getUpdates",
      times: 1,
      does: { kind: "refuse", refusal: new Refusal(409, "Conflict: terminated by other getUpdates request") },
    });
    await here.start();
    expect((await ask(here, here.ana, "/whoami")).text).toContain("user 11");
    expect(here.bot?.child.exitCode).toBeNull();
    expect(here.printed()).toMatch(/polling-ended.*conflict|polling-ended.*Conflict/);
  });

  it("answers in order although Telegram refuses with 429 again and again", async () => {
    here = await world();
    await here.start();
    here.telegram.fail({
      method: "sendMessage",
      times: 4,
      does: { kind: "refuse", refusal: new Refusal(429, "Too Many Requests: retry after 1", { retry_after: 1 }) },
    });
    for (let i = 0; i < 10; i += 1) here.telegram.people.says(here.ana, `/nonsense${i}`);
    await until(() => said(here, here.ana.id).length === 10, "ten answers", 30_000);
    expect(said(here, here.ana.id).map(({ text }) => /nonsense(\d)/.exec(text ?? "")?.[1])).toEqual([..."0123456789"]);
  });

  it("neither loses nor doubles an answer in a burst over many chats, with flood control, lost answers and a kill", async () => {
    const ids = Array.from({ length: 8 }, (_, i) => 100 + i);
    here = await world({ config: { telegram: { users: ids.map((id) => ({ id })) } } });
    here.telegram.state.limits = { private: { count: 2, perMs: 1_000 }, group: { count: 20, perMs: 60_000 } };
    const people = ids.map((id) => here.telegram.people.person(id, `P${id}`));
    await here.start();
    for (const kind of ["accept-then-reset", "reset", "accept-then-reset"] as const)
      here.telegram.fail({ method: "sendMessage", times: 1, does: { kind } });
    for (let i = 0; i < 64; i += 1)
      here.telegram.people.says(people[i % 8] as (typeof people)[number], `/nonsense${i}`);
    const numbers = (chat: number) =>
      said(here, chat)
        .flatMap(({ text }) => /nonsense(\d+)/.exec(text ?? "")?.[1] ?? [])
        .map(Number);
    await until(() => ids.reduce((sum, id) => sum + numbers(id).length, 0) >= 12, "some answers");
    await here.kill();
    await here.start();
    await until(() => ids.every((id) => numbers(id).length >= 8), "every answer", 40_000);
    await ask(here, people[0] as (typeof people)[number], "/help");
    for (const [c, id] of ids.entries()) expect(numbers(id)).toEqual(Array.from({ length: 8 }, (_, k) => c + 8 * k));
  });

  it("exits with 2 and says why, for a wrong token and for a store that another bot has open", async () => {
    here = await world();
    const first = await here.start();
    const second = await here.start();
    expect(await second.ended).toBe(2);
    expect(second.log()).toContain("bot.sqlite");
    first.child.kill("SIGKILL");
    await first.ended;
    const wrong = await here.start({ TELEGRAM_BOT_TOKEN: `${here.telegram.token}x` });
    expect(await wrong.ended).toBe(2);
    expect(wrong.log()).toContain("TELEGRAM_BOT_TOKEN: Telegram does not know this token");
  });

  it("ends on SIGTERM within a moment, with exit code 0", async () => {
    here = await world();
    // Stop at once, between telegraf's launch and its first poll, and later.
    for (const restMs of [0, 5, 20, 300]) {
      await here.start();
      await new Promise((resolve) => {
        setTimeout(resolve, restMs);
      });
      expect(await here.stop()).toBe(0);
    }
  });
});

describe("webhook", () => {
  it("accepts whole updates with the secret, each once, and nothing else", async () => {
    const port = await freePort();
    here = await world({
      config: { http: { host: "127.0.0.1", port }, telegram: { webhook: { url: `http://127.0.0.1:${port}` } } },
    });
    await here.start({ TELEGRAM_WEBHOOK_SECRET: secret, GITHUB_WEBHOOK_SECRET: githubSecret });
    const { people } = here.telegram;
    const right = { "x-telegram-bot-api-secret-token": secret };
    // Delivered as Telegram does it.
    expect((await ask(here, here.ana, "/whoami")).text).toContain("user 11");

    const update = people.says(here.ana, "/nonsense🦜ü", { deliver: false });
    const body = Buffer.from(JSON.stringify(update));
    const torn = body.indexOf(Buffer.from("🦜")) + 2;
    expect(await send(port, { headers: { "x-telegram-bot-api-secret-token": "wrong" }, chunks: [body] })).toBe(401);
    expect(await send(port, { chunks: [body] })).toBe(401);
    expect(await send(port, { method: "GET", headers: right, chunks: [] })).toBe(405);
    expect(await send(port, { headers: right, chunks: ["null"] })).toBe(400);
    expect(await send(port, { headers: right, chunks: ["{"] })).toBe(400);
    expect(await send(port, { headers: right, chunks: [JSON.stringify({ update_id: "1", message: {} })] })).toBe(400);
    expect(await send(port, { headers: right, chunks: ["x".repeat(300 * 1024)] })).toSatisfy(
      (status: number) => status === 413 || status === 0,
    );
    expect(await send(port, { path: "/other", headers: right, chunks: [body] })).toBe(404);
    const before = said(here, here.ana.id).length;
    expect(await send(port, { headers: right, chunks: [body.subarray(0, torn), body.subarray(torn)] })).toBe(200);
    await until(() => said(here, here.ana.id).length === before + 1, "the answer");
    expect(said(here, here.ana.id).at(-1)?.text).toContain("🦜ü");
    expect(await send(port, { headers: right, chunks: [body] })).toBe(200);
    await ask(here, here.ana, "/help");
    expect(said(here, here.ana.id).length).toBe(before + 2);

    expect(await send(port, { method: "GET", path: "/livez", chunks: [] })).toBe(200);
    expect(await send(port, { method: "GET", path: "/readyz", chunks: [] })).toBe(200);
  });

  it("a GitHub webhook with the right signature makes the bot poll at once", async () => {
    const port = await freePort();
    here = await world({ config: { http: { host: "127.0.0.1", port }, github: { pollSeconds: 3600 } } });
    await here.start({ GITHUB_WEBHOOK_SECRET: githubSecret });
    await linkAccount(here, here.ana, "ana-gh");
    const looks = () => here.github.transcript.filter(({ path }) => path.endsWith("/actions/runs")).length;
    await until(() => looks() === 1, "the first look");
    const body = JSON.stringify({ action: "completed" });
    const signed = (key: string) => ({
      "x-hub-signature-256": `sha256=${createHmac("sha256", key).update(body).digest("hex")}`,
      "x-github-event": "workflow_run",
      "x-github-delivery": "one",
    });
    expect(await send(port, { path: "/github", headers: signed("another-secret-0123456789"), chunks: [body] })).toBe(
      401,
    );
    expect(await send(port, { path: "/github", headers: signed(githubSecret), chunks: [`${body} `] })).toBe(401);
    expect(looks()).toBe(1);
    expect(await send(port, { path: "/github", headers: signed(githubSecret), chunks: [body] })).toBe(202);
    await until(() => looks() === 2, "a second look");
    expect(await send(port, { path: "/github", headers: signed(githubSecret), chunks: [body] })).toBe(202);
    await ask(here, here.ana, "/whoami");
    expect(looks()).toBe(2);
  });
});
