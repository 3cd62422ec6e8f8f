import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { wav } from "../../models/core/audio/chirp.ts";
import { sharedData, where } from "../../models/core/audio/shared-speech.ts";
import { spoken, spokenDigit } from "../../models/core/audio/spoken-digits.ts";
import { sha256 } from "../../models/core/build.ts";
import { digitsManifest, speechFiles } from "../../models/core/speech-model.ts";
import { json, modelFolder, serve, served, temporaryFolder, until, type ServerProcess } from "./harness.ts";

type Event = Record<string, unknown> & { type: string };

/** A stream of one client, with all that it was sent. */
function connect(
  server: ServerProcess,
  query = "",
  headers: Record<string, string> = {},
  path = "/models/digits/stream",
) {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}${path}${query}`, { headers });
  const events: Event[] = [];
  let closed: { code: number; reason: string } | null = null;
  let refused: number | null = null;
  socket.on("message", (data: Buffer) => events.push(JSON.parse(data.toString("utf8")) as Event));
  socket.on("close", (code, reason) => (closed = { code, reason: reason.toString("utf8") }));
  socket.on("unexpected-response", (_request, response) => {
    refused = response.statusCode ?? 0;
    response.resume();
  });
  socket.on("error", () => {});
  const of = (type: string) => events.filter((event) => event.type === type);
  return {
    socket,
    events,
    of,
    first: (type: string) => until(() => of(type)[0]),
    closed: () => until(() => closed ?? undefined),
    refused: () => until(() => refused ?? undefined),
    /** In frames of so many samples. */
    async say(samples: Float32Array, frame = 400, format: "s16le" | "f32le" = "s16le") {
      const bytes = Buffer.alloc(samples.length * (format === "s16le" ? 2 : 4));
      samples.forEach((one, i) =>
        format === "s16le" ? bytes.writeInt16LE(Math.round(one * 32_768), 2 * i) : bytes.writeFloatLE(one, 4 * i),
      );
      // Frames need not end where samples do.
      const size = 2 * frame + 1;
      for (let at = 0; at < bytes.length; at += size) {
        socket.send(bytes.subarray(at, at + size));
        if (at % (20 * size) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    end: () => socket.send('{"type":"end"}'),
  };
}

describe.skipIf(sharedData === null).each([["main"], ["worker"]])(`a speech stream (%s) ${where}`, (engine) => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await serve(
      [modelFolder(digitsManifest(), { ...speechFiles }), modelFolder(served())],
      ["--engine", engine, "--max-streams", "2", "--stream-idle-ms", "3000", "--stream-partial-ms", "200"],
    );
  });
  const digits = (...order: number[]) =>
    order.map((digit, i) => spokenDigit(digit, ["jackson", "theo"][i % 2]!, i % 5));
  const fileAnswer = async (samples: Float32Array) => {
    const answer = await server.post("/models/digits/predict", wav([samples], 8000), { "content-type": "audio/wav" });
    return (await json(answer))["heads"] as unknown as {
      words: { text: string; segments: { start: number; text: string }[] };
    };
  };

  it.each([
    [400, "s16le"],
    [8000, "s16le"],
    [1000, "f32le"],
  ] as const)("has the texts and places of the file, in frames of %i samples (%s)", async (frame, format) => {
    const sound = spoken(digits(3, 1, 4, 2, 5, 9), 800);
    const wanted = await fileAnswer(sound);
    expect(wanted.words.text).toBe("three one four two five nine");
    const stream = connect(server, `?rate=8000&format=${format}`);
    expect(await stream.first("ready")).toMatchObject({ model: "digits", rate: 8000, format });
    await stream.say(sound, frame, format);
    stream.end();
    expect(await stream.first("result")).toEqual({ type: "result", heads: wanted, seconds: expect.any(Number) });
    expect(await stream.closed()).toEqual({ code: 1000, reason: "" });
    expect(stream.of("final").map(({ segment, start, end, text }) => ({ segment, start, end, text }))).toEqual(
      wanted.words.segments.map((one, segment) => ({ segment, ...one })),
    );
  });

  it("commits words before a segment ends, and takes none of them back", async () => {
    // Without pauses, all of it is one segment.
    const stream = connect(server, "?rate=8000");
    await stream.first("ready");
    for (const part of [spoken(digits(3, 1, 4, 2, 5, 9), 120), new Float32Array(8000)]) {
      for (let at = 0; at < part.length; at += 800) {
        await stream.say(part.subarray(at, at + 800));
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    }
    stream.end();
    await stream.closed();
    const partials = stream.of("partial") as unknown as { segment: number; committed: string; text: string }[];
    expect(partials.length).toBeGreaterThan(2);
    expect(partials.some(({ committed }) => committed !== "")).toBe(true);
    const committed = new Map<number, string>();
    for (const partial of partials) {
      expect(`${partial.committed} `.startsWith(committed.get(partial.segment) ?? "")).toBe(true);
      expect(partial.text.startsWith(partial.committed)).toBe(true);
      committed.set(partial.segment, partial.committed);
    }
    for (const final of stream.of("final")) expect(final["revised"]).toBe(0);
  });

  it("at another rate is resampled as a file is", async () => {
    const slow = spoken(digits(3, 4, 9), 800);
    // Every sample twice is a sound at 16 kHz, if not a good one.
    const fast = Float32Array.from({ length: 2 * slow.length }, (_, i) => slow[i >> 1]!);
    const answer = await server.post("/models/digits/predict", wav([fast], 16_000), { "content-type": "audio/wav" });
    const stream = connect(server, "?rate=16000");
    await stream.first("ready");
    await stream.say(fast, 777);
    stream.end();
    expect((await stream.first("result"))["heads"]).toEqual((await json(answer))["heads"]);
  });

  it("of silence is an empty text", async () => {
    const stream = connect(server, "?rate=8000");
    await stream.first("ready");
    await stream.say(new Float32Array(8000), 4000);
    stream.end();
    expect((await stream.first("result"))["heads"]).toMatchObject({ words: { text: "", segments: [] } });
  });

  it("is refused before it begins, as an ordinary answer", async () => {
    for (const [path, query, status] of [
      ["/models/linear/stream", "", 404],
      ["/models/nothing/stream", "", 404],
      ["/models/digits/stream", "?rate=5", 400],
      ["/models/digits/stream", "?format=mp3", 400],
    ] as const)
      expect(await connect(server, query, {}, path).refused()).toBe(status);
    expect(await json(await server.get("/models/digits/stream"))).toMatchObject({ status: 426, code: "upgrade" });
    const two = [connect(server, "?rate=8000"), connect(server, "?rate=8000")];
    for (const one of two) await one.first("ready");
    expect(await connect(server, "?rate=8000").refused()).toBe(503);
    for (const one of two) one.socket.close();
    await until(async () => {
      const next = connect(server, "?rate=8000");
      const ready = await Promise.race([next.first("ready"), next.refused()]);
      next.socket.close();
      return typeof ready === "number" ? undefined : true;
    });
  });

  it.each<[string, (stream: ReturnType<typeof connect>) => void, string, number]>([
    ["another text", ({ socket }) => socket.send("hello"), "bad-message", 1008],
    ["NaN", ({ socket }) => socket.send(Buffer.from([0, 0, 192, 127])), "not-finite", 1008],
    ["silence of the line", () => {}, "idle", 1008],
    [
      "sound after its end",
      (stream) => {
        stream.socket.send(Buffer.alloc(400_000));
        stream.end();
        stream.socket.send(Buffer.alloc(4));
      },
      "after-end",
      1008,
    ],
  ])("ends with one problem: %s", async (_, act, code, closing) => {
    const stream = connect(server, "?rate=8000&format=f32le");
    await stream.first("ready");
    act(stream);
    expect(await stream.first("error")).toMatchObject({ problem: { code } });
    expect((await stream.closed()).code).toBe(closing);
  });

  it("with a frame of megabytes is closed", async () => {
    const stream = connect(server, "?rate=8000");
    await stream.first("ready");
    stream.socket.send(Buffer.alloc(2 * 1024 * 1024));
    expect((await stream.closed()).code).toBe(1009);
  });
});

describe("a speech stream with limits", () => {
  it("is bounded in seconds, asks for the key of the other routes, and ends with the server", async () => {
    const keys = join(temporaryFolder(), "keys");
    writeFileSync(keys, `team ${sha256("secret")}\n`);
    const short = digitsManifest();
    (short.preprocess["audio"] as { maxSeconds?: number }).maxSeconds = 2;
    const server = await serve([modelFolder(short, { ...speechFiles })], ["--keys-file", keys]);
    expect(await connect(server, "?rate=8000").refused()).toBe(401);
    const headers = { authorization: "Bearer secret" };
    const stream = connect(server, "?rate=8000", headers);
    await stream.first("ready");
    await stream.say(new Float32Array(30_000), 4000);
    expect(await stream.first("error")).toMatchObject({ problem: { status: 413, code: "sound-too-long" } });
    const other = connect(server, "?rate=8000", headers);
    await other.first("ready");
    server.process.kill("SIGTERM");
    expect([1001, 1005, 1006]).toContain((await other.closed()).code);
    expect(await server.exited).toBe(0);
  });
});
