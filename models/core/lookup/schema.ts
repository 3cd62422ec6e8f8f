import { z } from "zod";

const duration = z
  .string()
  .regex(/^[1-9]\d*(s|m|h|d)$/, "a whole number with s, m, h or d, e.g. 30d")
  .describe("A length of time: 90s, 15m, 12h or 30d.");

const missing = z
  .union([z.literal("reject"), z.literal("nan"), z.strictObject({ fill: z.number() })])
  .describe(
    "What a feature becomes that is not there, or older than `ttl`: the row is refused, the graph gets NaN, or this number.",
  );

const feature = z
  .strictObject({
    column: z.string().min(1).optional().describe("Column of the store; default: the feature's name."),
    missing: missing.optional().describe("In the place of the step's own."),
    aggregate: z
      .enum(["count", "sum", "mean"])
      .optional()
      .describe(
        "Over the key's events of a window, in the place of the newest value. Computed from the events themselves when it is asked for.",
      ),
    over: duration.optional().describe("Length of the window that `aggregate` covers."),
    delay: duration
      .optional()
      .describe(
        "How long after its time an event becomes known (a label that arrives a week later); default: at once.",
      ),
  })
  .refine((f) => (f.aggregate === undefined) === (f.over === undefined), {
    error: "`aggregate` and `over` go together",
    path: ["over"],
  })
  .refine((f) => f.delay === undefined || f.aggregate !== undefined, {
    error: "`delay` belongs to an `aggregate`",
    path: ["delay"],
  });

const fileStore = z.strictObject({
  path: z.string().min(1).describe("Feature table beside model.yaml, as `sluice features build` writes it."),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits"),
});

const redisStore = z.strictObject({
  redis: z.strictObject({
    env: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*$/, "the name of an environment variable")
      .default("SLUICE_FEATURES_REDIS_URL")
      .describe("Environment variable with the address, redis://HOST:PORT or rediss://…; never the address itself."),
    prefix: z.string().default("").describe("Before every key."),
    columns: z.array(z.string().min(1)).min(1).describe("What the float32 numbers of a value mean, in their order."),
    timeoutMs: z.int().positive().max(10_000).default(50).describe("Longest wait for one answer."),
  }),
});

/** Features by key. Output: `features`; a tabular step takes single ones (`type: lookup`). */
export const lookupStep = z.strictObject({
  kind: z.literal("lookup"),
  key: z.array(z.string().min(1)).min(1).describe("Row fields that make the key, in this order."),
  time: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Row field with the time that is asked about: ISO 8601 with a zone, or milliseconds since 1970. Nothing later is seen. A row without it asks about now.",
    ),
  store: z.union([fileStore, redisStore]),
  ttl: duration.optional().describe("Older values count as missing, here and in the gate; default: no limit."),
  missing: missing.default("reject"),
  features: z
    .record(z.string().regex(/^[\w-]+$/, "letters, digits, _ and -"), feature)
    .refine((all) => Object.keys(all).length > 0, { error: "at least one feature" })
    .describe("Name → where the number comes from; the order is that of the output."),
});

export type LookupStep = z.infer<typeof lookupStep>;
export type MissingPolicy = z.infer<typeof missing>;
