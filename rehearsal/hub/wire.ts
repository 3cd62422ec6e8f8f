import { z } from "zod";
import type { Exchange } from "./server.ts";

/**
 * One call of the Hub's API and its required format. In a pattern, NAME is NS/NAME and REV a branch or a full commit
 * id.
 */
type Call = {
  method: string;
  path: string;
  query?: z.ZodType;
  /** bearer: a token is required; none: a token must not be sent; any: with or without a token. */
  token: "bearer" | "none" | "any";
  /** Schema of the request's body; if there is none, the request must have no body. */
  body?: z.ZodType;
  contentType?: RegExp;
};

const sha1 = /^[0-9a-f]{40}$/;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const path = z
  .string()
  .min(1)
  .refine((one) => !one.startsWith("/") && !one.split("/").includes(".."), "a path inside the repository");
const line = z.discriminatedUnion("key", [
  z.strictObject({
    key: z.literal("header"),
    value: z.strictObject({
      summary: z.string().min(1),
      description: z.string().optional(),
      parentCommit: z.string().regex(sha1).optional(),
    }),
  }),
  z.strictObject({
    key: z.literal("file"),
    value: z.strictObject({ path, content: z.string(), encoding: z.enum(["base64", "utf-8"]) }),
  }),
  z.strictObject({
    key: z.literal("lfsFile"),
    value: z.strictObject({ path, algo: z.literal("sha256"), oid: sha256, size: z.int().nonnegative() }),
  }),
  z.strictObject({ key: z.literal("deletedFile"), value: z.strictObject({ path }) }),
]);
/** The header comes first and only once, and no path occurs twice. */
const commit = z
  .array(line)
  .min(1)
  .refine((lines) => lines.every(({ key }, i) => (key === "header") === (i === 0)), "one header, in the first line")
  .refine((lines) => {
    const paths = lines.flatMap(({ value }) => ("path" in value ? [value.path] : []));
    return new Set(paths).size === paths.length;
  }, "every path once");
const preupload = z.strictObject({
  files: z
    .array(z.looseObject({ path, size: z.int().nonnegative(), sample: z.base64() }))
    .min(1)
    .max(100),
});
const batch = z.strictObject({
  operation: z.literal("upload"),
  transfers: z.array(z.enum(["basic", "multipart"])).min(1),
  hash_algo: z.literal("sha_256"),
  ref: z.strictObject({ name: z.string() }).optional(),
  objects: z.array(z.strictObject({ oid: sha256, size: z.int().nonnegative() })).min(1),
});
const exchange = z.strictObject({
  grant_type: z.literal("urn:ietf:params:oauth:grant-type:token-exchange"),
  subject_token_type: z.literal("urn:ietf:params:oauth:token-type:id_token"),
  subject_token: z.jwt(),
  resource: z.string().regex(/^(spaces\/)?[\w.-]+\/[\w.-]+$/),
});
const truth = z.enum(["true", "false"]);
const paging = { limit: z.string().regex(/^\d+$/).optional(), cursor: z.string().optional(), p: z.string().optional() };
const json = /^application\/json\b/;
const lfs = /^application\/vnd\.git-lfs\+json\b/;
const variable = z.strictObject({
  key: z.string().regex(/^[A-Za-z_]\w*$/),
  value: z.string().optional(),
  description: z.string().optional(),
});

/** The calls as the Hub documents them and its own clients send them. R is the API prefix of a repository. */
const calls: readonly Call[] = [
  { method: "POST", path: "/oauth/token", token: "none", body: exchange, contentType: json },
  { method: "GET", path: "/api/whoami-v2", token: "bearer" },
  { method: "GET", path: "R", token: "any" },
  { method: "GET", path: "R/revision/REV", token: "any" },
  {
    method: "GET",
    path: "R/tree/REV",
    token: "any",
    query: z.strictObject({ recursive: truth.optional(), expand: truth.optional(), ...paging }),
  },
  { method: "GET", path: "R/commits/REV", token: "any", query: z.strictObject(paging) },
  {
    method: "POST",
    path: "R/paths-info/REV",
    token: "any",
    body: z.strictObject({ paths: z.array(path).min(1), expand: z.boolean().optional() }),
    contentType: json,
  },
  { method: "POST", path: "R/preupload/REV", token: "bearer", body: preupload, contentType: json },
  { method: "POST", path: "REPOSITORY.git/info/lfs/objects/batch", token: "bearer", body: batch, contentType: lfs },
  { method: "PUT", path: "/lfs-upload/SECRET", token: "none", body: z.instanceof(Buffer) },
  { method: "PUT", path: "/lfs-upload/SECRET/part/N", token: "none", body: z.instanceof(Buffer) },
  {
    method: "POST",
    path: "/lfs-upload/SECRET/complete",
    token: "none",
    body: z.strictObject({
      oid: sha256,
      parts: z.array(z.strictObject({ partNumber: z.int().positive(), etag: z.string().min(1) })).min(1),
    }),
    contentType: lfs,
  },
  { method: "POST", path: "R/commit/REV", token: "bearer", body: commit, contentType: /^application\/x-ndjson\b/ },
  { method: "GET", path: "REPOSITORY/resolve/REV/FILE", token: "any" },
  { method: "HEAD", path: "REPOSITORY/resolve/REV/FILE", token: "any" },
  { method: "GET", path: "R/runtime", token: "any" },
  {
    method: "POST",
    path: "R/restart",
    token: "bearer",
    query: z.strictObject({ factory: z.literal("true").optional() }),
  },
  { method: "GET", path: "R/secrets", token: "bearer" },
  { method: "GET", path: "R/variables", token: "bearer" },
  { method: "POST", path: "R/secrets", token: "bearer", body: variable, contentType: json },
  { method: "POST", path: "R/variables", token: "bearer", body: variable, contentType: json },
  { method: "GET", path: "R/logs/build", token: "bearer" },
  {
    method: "GET",
    path: "R/logs/run",
    token: "bearer",
    query: z.strictObject({ tail: z.string().regex(/^\d+$/).optional() }),
  },
];

const name = "[\\w.-]+/[\\w.-]+?";
const parts: readonly (readonly [RegExp, string])[] = [
  [/^REPOSITORY/, `/(?:spaces/)?${name}`],
  [/^R(?=\/|$)/, `/api/(?:spaces|models)/${name}`],
  [/REV/, "(?:main|[0-9a-f]{40})"],
  [/SECRET/, "[0-9a-f]+"],
  [/\bN$/, "\\d+"],
  [/FILE/, ".+"],
];
const table = calls.map((call) => ({
  ...call,
  pattern: new RegExp(
    `^${parts.reduce((text, [from, to]) => text.replace(from, to), call.path.replaceAll(".", "\\."))}$`,
  ),
}));

/** Everything in requests to the Hub that the Hub does not document; empty if all is well. */
export function hubViolations(exchanges: readonly Exchange[]): string[] {
  return exchanges.flatMap((one) =>
    problems(one).map((problem) => `${one.method} ${one.path}${one.query}: ${problem}`),
  );
}

function problems({ method, path: asked, query, authorization, contentType, body }: Exchange): string[] {
  const call = table.find((one) => one.method === method && one.pattern.test(decodeURIComponent(asked)));
  if (call === undefined) return ["the Hub has no such call"];
  const bearer = /^Bearer hf_\w+$/.test(authorization ?? "");
  const content = call.body instanceof z.ZodType && body.length > 0 ? readBody(call, body) : undefined;
  return [
    ...(authorization !== null && !bearer ? ["the authorization is not a token of the Hub"] : []),
    ...(call.token === "bearer" && authorization === null ? ["no token"] : []),
    ...(call.token === "none" && authorization !== null ? ["a token goes where none belongs"] : []),
    ...explain("query", call.query ?? z.strictObject({}), Object.fromEntries(new URLSearchParams(query))),
    ...(call.body === undefined && body.length > 0 ? [`a body of ${body.length} bytes`] : []),
    ...(call.body === undefined ? [] : content === undefined ? ["no body"] : explain("body", call.body, content)),
    ...(call.contentType === undefined || call.contentType.test(contentType ?? "")
      ? []
      : [`content-type ${contentType ?? "missing"}`]),
  ];
}

function readBody({ contentType }: Call, body: Buffer): unknown {
  if (contentType === undefined) return body;
  const text = body.toString("utf8");
  try {
    return contentType.test("application/x-ndjson")
      ? text
          .split("\n")
          .filter((one) => one !== "")
          .map((one) => JSON.parse(one) as unknown)
      : JSON.parse(text);
  } catch (error) {
    return `not JSON: ${(error as Error).message}`;
  }
}

function explain(what: string, schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value);
  return parsed.success
    ? []
    : parsed.error.issues.slice(0, 3).map((issue) => `${what} ${issue.path.join(".")}: ${issue.message}`);
}
