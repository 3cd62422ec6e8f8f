import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createClient } from "@redis/client";
import { pushFeatures } from "../../../../eval/features/push.ts";
import { encodeEvents } from "../../../../models/core/lookup/remote-value.ts";
import { openPredictor, type Predictor } from "../../../../models/core/predictor/predictor.ts";
import { offline, temporaryFolder } from "../build.ts";
import { cardFolder, cardManifest } from "./models.ts";
import { day, noon, read, tableOf, type Event } from "./tables.ts";

/** A real Redis. `npm run test:slow` installs it where apt-get may be used. */
const installed = spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0;

const columns = ["spend", "visits"];
const events: Event[] = Array.from({ length: 600 }, (_, c) =>
  Array.from({ length: 3 }, (__, d) => ({
    key: `card-${c}`,
    at: noon + d * day,
    values: [c + d / 8, c % 7 === 0 ? null : d],
  })),
).flat();
const table = tableOf(columns, events);
const rows = Array.from({ length: 700 }, (_, i) => ({ card_id: `card-${i}`, at: noon + (i % 4) * day, amount: i % 5 }));
const lenient = { missing: { fill: 0 } };
const redisStep = { ...lenient, store: { redis: { prefix: "f:", columns, timeoutMs: 2000 } } };

let redis: ChildProcess;
let port = 0;
const open: Predictor[] = [];
const start = async () => {
  redis = spawn(
    "redis-server",
    ["--port", String(port), "--save", "", "--appendonly", "no", "--dir", temporaryFolder()],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  // Listened to, not iterated: leaving an iteration would close the pipe that Redis writes its log to.
  await new Promise<void>((ready) => {
    redis.stdout!.on("data", (chunk: Buffer) => {
      if (String(chunk).includes("Ready to accept connections")) ready();
    });
  });
};
const stop = async () => {
  redis.kill("SIGKILL");
  await once(redis, "exit");
};
const env = () => ({ SLUICE_FEATURES_REDIS_URL: `redis://127.0.0.1:${port}` });
afterAll(async () => {
  for (const one of open) await one.close();
});
const opened = async (step: object, own: Record<string, string> = env()) => {
  const predictor = await openPredictor(cardFolder(cardManifest(table, step), table), {}, { ...offline, env: own });
  open.push(predictor);
  return predictor;
};
const connected = async () => {
  const client = createClient({ url: env().SLUICE_FEATURES_REDIS_URL });
  await client.connect();
  return client;
};

describe.skipIf(!installed)("features in Redis", () => {
  beforeAll(async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    port = (probe.address() as AddressInfo).port;
    probe.close();
    await start();
    await pushFeatures(await read(table), { url: env().SLUICE_FEATURES_REDIS_URL, prefix: "f:" });
  });
  afterAll(stop);

  it("give the answers of the table that they came from, alone and in batches beyond one MGET, notes too", async () => {
    const [remote, local] = [await opened(redisStep), await opened(lenient)];
    const expected = await local.predict(rows);
    expect(await remote.predict(rows)).toEqual(expected);
    for (const i of [0, 3, 650]) expect(await remote.predict([rows[i]!])).toEqual([expected[i]]);
  });

  it("grow by APPEND, and the new event is seen from its own time on", async () => {
    const remote = await opened(redisStep);
    const event = { times: Float64Array.of(noon + 9 * day), values: Float32Array.of(50, 1), from: 0, to: 1 };
    const client = await connected();
    await client.append("f:card-1", encodeEvents(event, 2));
    client.destroy();
    const ask = async (at: number) => (await remote.predictOne({ card_id: "card-1", at, amount: 0 }))["value"];
    expect(await ask(noon + 9 * day - 1)).toMatchObject({ value: 1 + 2 / 8 + 20 + 0.5 });
    expect(await ask(noon + 9 * day)).toMatchObject({ value: 60.5 });
  });

  it.each<[string, Buffer]>([
    ["another width", Buffer.alloc(12)],
    ["no bytes", Buffer.alloc(0)],
    [
      "times that fall",
      Buffer.concat(
        [noon + day, noon].map((at) =>
          encodeEvents({ times: Float64Array.of(at), values: Float32Array.of(1, 2), from: 0, to: 1 }, 2),
        ),
      ),
    ],
  ])("of %s are an error, and never another number", async (_, value) => {
    const remote = await opened(redisStep);
    const client = await connected();
    await client.set("f:broken", value);
    client.destroy();
    await expect(remote.predict([{ card_id: "broken", at: noon, amount: 1 }])).rejects.toThrow(/cannot be read/);
  });

  it("fail while Redis is away, at once, and are back by themselves", async () => {
    const remote = await opened(redisStep);
    const row = { card_id: "card-5", at: noon, amount: 1 };
    const before = await remote.predictOne(row);
    await stop();
    await expect(remote.predict([row])).rejects.toThrow(/feature store/);
    await start();
    await pushFeatures(await read(table), { url: env().SLUICE_FEATURES_REDIS_URL, prefix: "f:" });
    const again = await vi.waitFor(() => remote.predictOne(row), { timeout: 10_000, interval: 50 });
    expect(again).toEqual(before);
  });
});

describe("a store over the network", () => {
  it("that never answers ends in an error after its time", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const url = `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const remote = await opened(redisStep, { SLUICE_FEATURES_REDIS_URL: url });
    await expect(remote.predict([rows[0]!])).rejects.toThrow(/took too long|does not answer/);
    silent.close();
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["without an address", {}, /SLUICE_FEATURES_REDIS_URL: no address.*example/s],
    [
      "with an address that is none",
      { SLUICE_FEATURES_REDIS_URL: "127.0.0.1:6379" },
      /the address of the feature store is none/,
    ],
  ])("%s is refused when it is first asked", async (_, own, message) => {
    const remote = await opened(redisStep, own);
    await expect(remote.predict([rows[0]!])).rejects.toThrow(message);
  });
});
