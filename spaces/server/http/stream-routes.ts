import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { z } from "zod";
import type { HeadResult } from "../../../models/core/postprocess/result.ts";
import { ClientDisconnect } from "../scheduling/client-disconnect.ts";
import type { ServedModel, SpeechModel } from "../serving/served-model.ts";
import { pcmFormats, pcmReader } from "../speech/pcm.ts";
import { SoundTooLong, SpeechStream, type SpeechEvent } from "../speech/speech-stream.ts";
import { readyModel, type Serving } from "./context.ts";
import { outcomeProblem } from "./predict.ts";
import { Problem } from "./problem.ts";
import { countRefusal, toProblem } from "./to-problem.ts";

type ById = { Params: { id: string } };

/** A frame of ten seconds of floats at 48 kHz is larger than any sender needs. */
const maxFrameBytes = 1024 * 1024;
/** Sound that waits for the model: beyond it the socket is not read, until half of it is answered. */
const maxWaitingBytes = 1024 * 1024;
/** Events that a client has not read. */
const maxUnreadBytes = 1024 * 1024;
/** What a stream may take beyond the sound's own length. */
const graceMs = 60_000;

const asked = z.object({
  rate: z.coerce.number().int().min(8_000).max(48_000).optional(),
  format: z.enum(pcmFormats).default("s16le"),
});

/** Close codes of RFC 6455: a client's mistake, a server that fails or stops, and one that is busy. */
const closeCodes: Readonly<Record<number, number>> = { 500: 1011, 502: 1011, 503: 1013, 504: 1013, 499: 1000 };

/**
 * WebSocket /models/{id}/stream: binary frames of samples in, JSON events out. Registered only where a model may hear,
 * because its library takes a while to load.
 */
export async function streamRoutes(app: FastifyInstance, serving: Serving, guarded: object): Promise<void> {
  const { settings } = serving;
  await app.register((await import("@fastify/websocket")).default, {
    options: { maxPayload: maxFrameBytes, perMessageDeflate: false },
  });
  let open = 0;
  const speechOf = (request: FastifyRequest<ById>): { model: ServedModel; speech: SpeechModel } => {
    const model = readyModel(serving.registry.find(request.params.id), request.params.id);
    if (model.speech === undefined)
      throw new Problem(404, "no-stream", `${model.id} takes no stream of sound: its manifest has no \`segment\``);
    return { model, speech: model.speech };
  };
  // Registered inside, so that the routes see the library's hooks.
  await app.register(async (inner) => {
    inner.route<ById>({
      ...guarded,
      method: "GET",
      url: "/models/:id/stream",
      // Before the connection becomes a WebSocket, so that a refusal is an ordinary answer.
      preValidation: async (request) => {
        request.modelId = speechOf(request).model.id;
        const query = asked.safeParse(request.query);
        if (!query.success) {
          const [issue] = query.error.issues;
          throw new Problem(400, "bad-query", `${issue!.path.join(".")}: ${issue!.message}`, {
            errors: [{ field: issue!.path.join("."), problem: issue!.message, expected: "rate=16000&format=s16le" }],
          });
        }
        if (serving.lifecycle.draining) throw new Problem(503, "draining", "the server is stopping", retryLater);
        if (request.ws && open >= settings.maxStreams)
          throw new Problem(503, "too-many-streams", `${open} streams are open, and no more are taken`, retryLater);
      },
      handler: () => {
        throw new Problem(426, "upgrade", "this route is a WebSocket", { headers: { upgrade: "websocket" } });
      },
      wsHandler: (socket, request) => {
        open += 1;
        socket.once("close", () => {
          open -= 1;
        });
        const { model, speech } = speechOf(request);
        converse(serving, socket, model, speech, asked.parse(request.query), request.id);
      },
    });
  });
}

const retryLater = { headers: { "retry-after": "5" } };

function converse(
  serving: Serving,
  socket: WebSocket,
  model: ServedModel,
  speech: SpeechModel,
  { rate = speech.rate, format }: z.infer<typeof asked>,
  id: string,
): void {
  const { settings } = serving;
  const disconnect = new ClientDisconnect();
  const read = pcmReader(format);
  let over = false;
  let waiting = 0;

  const send = (event: SpeechEvent | object) => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > maxUnreadBytes)
      fail(new Problem(503, "slow-client", "the client does not read what it is sent"));
    else socket.send(JSON.stringify(event));
  };
  const fail = (error: unknown) => {
    if (over) return;
    over = true;
    const problem =
      error instanceof SoundTooLong ? new Problem(413, "sound-too-long", error.message) : toProblem(error, serving.log);
    countRefusal(serving.metrics, model.id, problem);
    if (socket.readyState === socket.OPEN)
      socket.send(JSON.stringify({ type: "error", problem: { ...problem.body, instance: id } }));
    socket.close(closeCodes[problem.body.status] ?? 1008, problem.body.code);
    disconnect.abort();
  };
  const answer = async (pcm: Float32Array): Promise<Record<string, HeadResult>> => {
    const deadlineAt = performance.now() + settings.requestTimeoutMs;
    const { outcome } = await model.predict({ [speech.field]: { pcm } }, { deadlineAt, disconnect });
    serving.metrics.outcome(model.id, outcome);
    if (!outcome.ok) throw outcomeProblem(model, outcome);
    return outcome.heads;
  };

  const started = speech.activity().then((activity) => {
    const stream = new SpeechStream(speech, {
      activity,
      rate,
      partialMs: settings.streamPartialMs,
      answer,
      send,
      onPartialError: (error) => {
        if (!over) serving.log.debug({ model: model.id, reason: String((error as Error).message) }, "partial failed");
      },
      now: () => performance.now(),
    });
    send({ type: "ready", model: model.id, version: model.version, rate, format, maxSeconds: speech.maxSeconds });
    return stream;
  });
  /** Frames are handled one after the other. */
  let last: Promise<unknown> = started.catch(fail);
  const then = (work: (stream: SpeechStream) => Promise<void>) => {
    const before = last;
    last = (async () => {
      await before;
      if (over) return;
      try {
        await work(await started);
      } catch (error) {
        fail(error);
      }
    })();
  };

  const idle = setTimeout(
    () => fail(new Problem(408, "idle", `no sound for ${settings.streamIdleMs / 1000} s`)),
    settings.streamIdleMs,
  );
  const total = setTimeout(
    () => fail(new Problem(408, "stream-too-long", "the stream has taken too long")),
    2 * 1000 * speech.maxSeconds + graceMs,
  );
  let ended = false;
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    if (over) return;
    idle.refresh();
    if (ended) return fail(new Problem(400, "after-end", "nothing is taken after the end"));
    if (!isBinary) {
      if (!isEnd(data)) return fail(new Problem(400, "bad-message", 'the only text that is taken is {"type":"end"}'));
      ended = true;
      clearTimeout(idle);
      return then(async (stream) => {
        await stream.end();
        over = true;
        socket.close(1000);
      });
    }
    const samples = read(data);
    if (!samples.every(Number.isFinite))
      return fail(new Problem(400, "not-finite", "the sound has samples that are no numbers"));
    waiting += data.length;
    if (waiting > maxWaitingBytes && !socket.isPaused) socket.pause();
    then(async (stream) => {
      await stream.push(samples).finally(() => {
        waiting -= data.length;
        if (socket.isPaused && waiting < maxWaitingBytes / 2) socket.resume();
      });
    });
  });
  socket.on("error", () => {});
  socket.once("close", () => {
    over = true;
    clearTimeout(idle);
    clearTimeout(total);
    disconnect.abort();
  });
}

function isEnd(data: Buffer): boolean {
  try {
    return (JSON.parse(data.toString("utf8")) as { type?: unknown } | null)?.type === "end";
  } catch {
    return false;
  }
}
