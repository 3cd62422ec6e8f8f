import ipaddr from "ipaddr.js";
import { z } from "zod";

const milliseconds = z.coerce.number().int().positive();
const count = z.coerce.number().int().positive();
const flag = z.union([z.boolean(), z.stringbool()]);

/** Names of address ranges that proxies of one's own have: loopback, link-local and private ones. */
const rangeNames = ["loopback", "linklocal", "uniquelocal"];
const isRange = (text: string) => rangeNames.includes(text) || ipaddr.isValid(text) || ipaddr.isValidCIDR(text);

/** How many proxies are in front, or their addresses. False: none is believed. */
const proxies = z.union([
  z.literal([false, "false", ""]).transform(() => false as const),
  z.literal([true, "true"]).transform(() => 1),
  z.coerce.number().int().min(1).max(32),
  z
    .string()
    .transform((text) => text.split(",").map((one) => one.trim()))
    .refine((list) => list.every(isRange), `not a number of proxies, nor addresses or ranges such as 10.0.0.0/8`),
]);

/** Every setting of the server. Flags of `sluice serve` and SLUICE_* variables have the same names. */
export const settingsSchema = z.strictObject({
  host: z.string().min(1).default("0.0.0.0").describe("address to listen on"),
  port: z.coerce.number().int().min(0).max(65_535).default(7860).describe("port to listen on; 0 takes a free one"),
  defaultModel: z.string().optional().describe("id of the model behind /predict (default: the first one)"),
  engine: z
    .enum(["auto", "main", "worker", "process"])
    .default("auto")
    .describe("where models run: auto measures at warm-up; process allows a hard kill"),
  workers: count.max(64).default(1).describe("workers per model; more than 1 is throughput mode"),
  mainThreadLimitMs: z.coerce.number().positive().default(1).describe("longest run that may happen on the main thread"),
  maxBatch: count.max(1024).optional().describe("rows per run (default: decided by measurement)"),
  maxDelayUs: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe("longest wait for further rows, microseconds (default: decided by measurement)"),
  sweepBudgetMs: z.coerce
    .number()
    .int()
    .min(0)
    .default(1500)
    .describe("time that the measurement of batches may take per model"),
  maxBodyBytes: count.default(16 * 1024 * 1024).describe("largest request body"),
  maxRows: count.default(10_000).describe("most rows of one request"),
  maxQueueRows: count.default(4096).describe("most rows that wait per model"),
  maxQueueWaitMs: milliseconds.default(1000).describe("longest estimated wait before a request is refused"),
  requestTimeoutMs: milliseconds
    .max(600_000)
    .default(30_000)
    .describe("longest that a request may take; x-request-timeout-ms may ask for less"),
  runLimitMs: milliseconds.default(60_000).describe("process engine: a run that takes longer is killed"),
  lameDuckSeconds: z.coerce
    .number()
    .min(0)
    .max(60)
    .default(1)
    .describe("time after SIGTERM in which requests are still taken, each answer closing its connection"),
  drainSeconds: z.coerce
    .number()
    .min(0)
    .max(3600)
    .default(20)
    .describe("time that requests in flight have to finish after SIGTERM"),
  maxStreams: count.max(1000).default(4).describe("speech streams (WebSockets) at the same time"),
  streamIdleMs: milliseconds.default(30_000).describe("a speech stream without sound for this long is closed"),
  streamPartialMs: milliseconds
    .default(500)
    .describe("new sound after which an open segment of a speech stream is heard again"),
  keysFile: z
    .string()
    .optional()
    .describe("file of API keys: a line NAME SHA256-OF-KEY each (default: no keys are asked for)"),
  rateLimit: count.optional().describe("requests a minute per key, or per address without one"),
  rateLimitRows: count
    .optional()
    .describe("rows a minute of the same caller, where there is a rate limit (default: 100 for each request)"),
  trustProxy: proxies
    .default(false)
    .describe(
      "take the client's address from X-Forwarded-For: how many proxies are in front (1 if no number is given), or their addresses and ranges, with commas between",
    )
    .meta({ optionalValue: "hops-or-ranges" }),
  cors: z.string().default("").describe("origins that may call from a browser, with commas between, or *"),
  frameAncestors: z
    .string()
    .regex(
      /^('self'|'none'|https?:\/\/[\w.*:-]+)( ('self'|https?:\/\/[\w.*:-]+))*$/,
      "'self', 'none', or origins with blanks between",
    )
    .default("'self' https://huggingface.co https://*.hf.space")
    .describe("which sites may show the page in a frame; the Hub shows a Space in one"),
  cacheBytes: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("size of the cache of answers to identical inputs; 0 is off"),
  featureShare: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.005)
    .describe("share of the time that may go into counting features for the watch; 1 counts every row, 0 none"),
  feedbackPredictions: count
    .max(10_000_000)
    .default(100_000)
    .describe("predictions per model that a true label may still be given for; the oldest are forgotten"),
  jobs: flag.default(true).describe("answer whole files in the background: /models/{id}/jobs"),
  jobsDir: z
    .string()
    .min(1)
    .optional()
    .describe("folder that keeps uploads, jobs and results (default: a temporary one, deleted at the end)"),
  jobsKeepHours: z.coerce
    .number()
    .positive()
    .max(24 * 365)
    .default(24)
    .describe("time that input and result of a job are kept"),
  jobsUploadHours: z.coerce
    .number()
    .positive()
    .max(24 * 30)
    .default(24)
    .describe("time after which an upload that nobody goes on with is deleted"),
  jobsMaxBytes: count.default(2 * 1024 ** 3).describe("bytes of all uploads and results together"),
  jobsOwnerBytes: count.default(1024 ** 3).describe("bytes of one owner's uploads and results together"),
  jobsMaxQueued: count.default(1000).describe("jobs that may wait"),
  jobsOwnerQueued: count.default(50).describe("jobs of one owner that may wait"),
  jobsConcurrency: count.max(32).default(2).describe("jobs that run at the same time"),
  jobsAttempts: count.max(100).default(3).describe("attempts without progress after which a job fails"),
  jobsShare: z.coerce
    .number()
    .min(0.001)
    .max(1)
    .default(0.05)
    .describe("share of the time that jobs may use a model while somebody waits for answers; otherwise all of it"),
  logLevel: z
    .enum(["silent", "error", "warn", "info", "debug"])
    .default("info")
    .describe("what is logged, as JSON lines on stdout"),
  logInputs: flag
    .default(false)
    .describe("log rows too, with e-mail addresses, phone numbers and card numbers redacted"),
  watch: flag.default(true).describe("reload a model when its files change"),
  imageUrls: flag.default(false).describe("let image fields be public http(s) URLs"),
  deploymentFile: z
    .string()
    .optional()
    .describe("deployment.json of the Space: which commit and model this is, shown by /model/info"),
  rolloutFile: z
    .string()
    .optional()
    .describe("rollout.json of a candidate that is rolled out beside the live version; its folder lies beside it"),
  uiDir: z.string().optional().describe("folder of the web page"),
});

export type Settings = z.infer<typeof settingsSchema>;

/** `maxQueueRows` → `SLUICE_MAX_QUEUE_ROWS`. */
export function variableOf(name: string): string {
  return `SLUICE_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Settings from environment variables. Flags take precedence over them. */
export function settingsFromEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.keys(settingsSchema.shape).flatMap((name) => {
      const value = env[variableOf(name)];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}
