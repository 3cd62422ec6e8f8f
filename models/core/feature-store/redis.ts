import { setTimeout as wait } from "node:timers/promises";
import { ConfigurationError, EvaluationError } from "../errors.ts";
import { decodeEvents, eventBytes } from "../lookup/remote-value.ts";
import { redisAddress } from "./redis-address.ts";
import type { LookupStep } from "../lookup/schema.ts";
import type { FeatureStore, KeyEvents } from "../lookup/store.ts";

type RedisDeclared = Extract<LookupStep["store"], { redis: object }>["redis"];

/** Keys of one MGET. */
const KEYS_AT_ONCE = 256;
/** Commands that wait for answers; further ones fail at once. */
const MAX_WAITING = 1024;
/** Longest wait for the connection, when the store is first asked. */
const CONNECT_MS = 2000;

/**
 * Features in Redis. Nothing stands in for an answer that does not come: while the connection is down every look-up
 * fails at once, and the client connects again by itself.
 */
export function redisStore(declared: RedisDeclared, env: Readonly<Record<string, string | undefined>>): FeatureStore {
  const { columns, prefix, timeoutMs } = declared;
  const name = `Redis at ${declared.env}`;
  let client: Promise<Awaited<ReturnType<typeof connect>>> | null = null;

  const failed = (problem: string, cause?: unknown) =>
    new EvaluationError(
      {
        code: "feature-store",
        place: name,
        problem,
        expected: `answers within ${timeoutMs} ms`,
        ...(cause instanceof Error ? { received: cause.message.split("\n", 1)[0]! } : {}),
      },
      { cause },
    );
  const within = <T>(work: Promise<T>, ms: number): Promise<T> => {
    const stop = new AbortController();
    return Promise.race([
      work,
      wait(ms, null, { signal: stop.signal, ref: false }).then(() => {
        throw failed("the feature store took too long");
      }),
    ]).finally(() => stop.abort());
  };
  const opened = () => (client ??= connect(redisAddress(declared.env, env), declared.env));

  return {
    kind: "remote",
    name,
    sha256: null,
    columns,
    timed: true,
    async findMany(keys) {
      const redis = await opened();
      const parts = Array.from({ length: Math.ceil(keys.length / KEYS_AT_ONCE) }, (_, i) =>
        keys.slice(i * KEYS_AT_ONCE, (i + 1) * KEYS_AT_ONCE),
      );
      const ask = async (part: readonly string[]): Promise<(Buffer | null)[]> => {
        try {
          await within(redis.ready(), CONNECT_MS);
          return await within(redis.get(part.map((key) => `${prefix}${key}`)), timeoutMs);
        } catch (error) {
          if (error instanceof EvaluationError) throw error;
          throw failed("the feature store does not answer", error);
        }
      };
      const found = (await Promise.all(parts.map(ask))).flat();
      return found.map((value, i): KeyEvents | null => {
        if (value === null) return null;
        const events = decodeEvents(value, columns.length);
        if (events !== null) return events;
        throw new EvaluationError({
          code: "feature-store-value",
          place: name,
          problem: "a value of the feature store cannot be read",
          expected: `events of ${eventBytes(columns.length)} bytes: float64 milliseconds, then ${columns.length} float32`,
          received: `${value.length} bytes for key ${i} of ${keys.length}`,
          hint: "`sluice features push` writes them",
        });
      });
    },
    async close() {
      const redis = await client?.catch(() => null);
      redis?.close();
    },
  };
}

/** The client is loaded only here, so that a model without Redis never loads it. */
async function connect(url: string, variable: string) {
  const { createClient, RESP_TYPES } = await import("@redis/client");
  const client = (() => {
    try {
      return createClient({
        url,
        disableOfflineQueue: true,
        commandsQueueMaxLength: MAX_WAITING,
        socket: { connectTimeout: CONNECT_MS, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 2000) },
      });
    } catch (error) {
      throw new ConfigurationError(
        {
          code: "feature-store-address",
          place: variable,
          problem: "the address of the feature store is none",
          expected: "redis://HOST:PORT or rediss://HOST:PORT",
          received: "something else",
        },
        { cause: error },
      );
    }
  })();
  // Without a listener a lost connection would end the process. The next look-up says that it is lost.
  client.on("error", () => {});
  let first: Promise<unknown> | null = client.connect();
  first.then(
    () => {
      first = null;
    },
    () => {
      first = null;
    },
  );
  const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    /** The first connection; afterwards a command that finds none fails at once. */
    ready: async () => {
      await first;
    },
    get: (keys: string[]): Promise<(Buffer | null)[]> => binary.mGet(keys) as Promise<(Buffer | null)[]>,
    close: () => client.destroy(),
  };
}
