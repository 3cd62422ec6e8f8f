import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { z } from "zod";
import { Http, HttpRefusal, NoAnswer, type Call } from "../../deploy/hub/http.ts";
import { untilAnswered } from "../../deploy/hub/until-answered.ts";
import { readSettings } from "../../deploy/hub/settings.ts";
import { uploadNotes } from "../../deploy/upload-notes.ts";

const url = "http://hub.invalid/thing";
const look: Call = { method: "GET", url, repeatable: true };
const ok = () => Response.json({ stage: "RUNNING" });
const refused = (status: number, headers: Record<string, string> = {}, body = "{}") =>
  new Response(body, { status, headers });

/** A server that gives these answers in turn. `waits`: how long was slept, in milliseconds. */
function server(...answers: Response[]) {
  const waits: number[] = [];
  let clock = 0;
  const left = [...answers];
  const deps = {
    fetch: () => Promise.resolve(left.shift()!),
    monotonic: () => clock,
    sleep: (ms: number) => {
      waits.push(ms);
      clock += ms;
      return Promise.resolve();
    },
    random: () => 0.5,
    note: () => {},
    signal: new AbortController().signal,
  };
  return { http: new Http(readSettings("retry-wait=1", "here"), deps), deps, waits, left };
}

it("waits as long as it is asked to, also before what must not happen twice: a refusal for the rate changes nothing", async () => {
  const { http, waits } = server(refused(429, { "retry-after": "120" }), ok());
  await http.call({ ...look, method: "POST", repeatable: false });
  expect(waits).toEqual([120_000]);
});

it("counts a date in Retry-After by the server's own clock", async () => {
  const date = "Fri, 01 Jan 2100 00:00:00 GMT";
  const { http, waits } = server(refused(503, { date, "retry-after": "Fri, 01 Jan 2100 00:01:30 GMT" }), ok());
  await http.call(look);
  expect(waits).toEqual([90_000]);
});

it("takes a wait of more than a quarter of an hour for a refusal", async () => {
  const { http, waits } = server(refused(429, { "retry-after": "3600" }));
  await expect(http.call(look)).rejects.toMatchObject({ status: 429, retryAfterMs: 3_600_000 });
  expect(waits).toEqual([]);
});

it.each([401, 403, 404, 423])("asks again after a single %i of a look-up that decides something", async (status) => {
  const { http } = server(refused(status), ok());
  await expect(http.json({ ...look, confirm: true })).resolves.toEqual({ stage: "RUNNING" });
  const plain = server(refused(status), ok());
  await expect(plain.http.json(look)).rejects.toThrow(HttpRefusal);
  const always = server(...Array.from({ length: 9 }, () => refused(status)));
  await expect(always.http.json({ ...look, confirm: true })).rejects.toThrow(HttpRefusal);
  expect(always.left).toHaveLength(6);
});

it("asks again after an answer that is no JSON, or not what is documented, and says which part", async () => {
  const schema = z.object({ stage: z.string() });
  const { http } = server(new Response("<html>"), Response.json({ stage: null }), ok());
  await expect(http.json(look, schema)).resolves.toEqual({ stage: "RUNNING" });
  const never = server(...Array.from({ length: 9 }, () => Response.json({ stage: null })));
  await expect(never.http.json(look, schema)).rejects.toThrow(
    new NoAnswer("GET /thing: the answer is not what is documented: stage"),
  );
});

it.each([
  [403, "Repository storage limit reached", true],
  [403, "your quota is used up", true],
  [507, "", true],
  [403, "Forbidden: no write access", false],
  [404, "storage", false],
])("knows want of room by its words: %i %s", async (status, error, isFull) => {
  const { http } = server(
    refused(status, {}, JSON.stringify({ error })),
    ...Array.from({ length: 4 }, () => refused(507)),
  );
  await expect(http.call({ ...look, repeatable: false })).rejects.toMatchObject({ isStorageFull: isFull });
});

it("lets an upload take as long as it likes while it makes progress, and ends one that makes none", async () => {
  const body = new Uint8Array(2_000_000);
  const upload = (pauseMs: number, sent: number[]) => {
    const { deps } = server();
    const http = new Http(readSettings("", "here"), {
      ...deps,
      fetch: async (_input, init) => {
        for await (const _chunk of init!.body as unknown as AsyncIterable<Uint8Array>) {
          await sleep(pauseMs, undefined, { signal: init!.signal! });
        }
        return ok();
      },
    });
    return http.call({
      method: "PUT",
      url,
      repeatable: false,
      body,
      timeoutMs: 500,
      progress: (bytes) => {
        sent.push(bytes);
      },
    });
  };
  const sent: number[] = [];
  await upload(20, sent);
  expect(sent.slice(0, 2)).toEqual([0, 65_536]);
  expect(sent.at(-1)).toBe(body.length);
  await expect(upload(60_000, [])).rejects.toThrow("no answer within 0.5 s");
});

it("tells of an upload at its beginning and every five seconds", () => {
  let clock = 0;
  const said: string[] = [];
  const progress = uploadNotes(
    (text) => {
      said.push(text);
    },
    () => clock,
    " to octo/births",
  );
  for (let second = 0; second <= 12; second += 1) {
    clock = second * 1000;
    progress("model.onnx", second * 104_857.6, 104_857_600);
  }
  expect(said).toEqual([
    "uploading model.onnx to octo/births, 100.0 MiB",
    "uploading model.onnx to octo/births: 0.5 of 100.0 MiB, 0.10 MiB/s",
    "uploading model.onnx to octo/births: 1.0 of 100.0 MiB, 0.10 MiB/s",
  ]);
});

it("believes an outage and a refusal only when they last", async () => {
  const { http, deps } = server();
  const ask = (failures: Error[]) => {
    const left = [...failures];
    return untilAnswered(
      () => (left.length > 0 ? Promise.reject(left.shift()!) : Promise.resolve("an answer")),
      { outageMs: 10_000, refusalMs: 3_000, pauseMs: 1_000 },
      { ...deps, http },
    );
  };
  const refusal = new HttpRefusal(look, { status: 404, headers: new Headers(), bytes: Buffer.from("{}") });
  const away = new NoAnswer("away");
  const times = (count: number, one: Error) => Array.from({ length: count }, () => one);
  await expect(ask(times(9, away))).resolves.toBe("an answer");
  await expect(ask(times(11, away))).rejects.toBe(away);
  await expect(ask(times(3, refusal))).resolves.toBe("an answer");
  await expect(ask(times(4, refusal))).rejects.toBe(refusal);
  await expect(ask([...times(3, refusal), away, ...times(3, refusal)])).resolves.toBe("an answer");
  await expect(ask([new Error("a mistake")])).rejects.toThrow("a mistake");
});
