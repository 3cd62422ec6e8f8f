import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv, type AnySchema, type ValidateFunction } from "ajv";
import type { Exchange } from "./exchange.ts";

type Parameter = { name: string; in: "path" | "query" | "header"; required?: boolean; schema: AnySchema };
type Media = { content?: Record<string, { schema: AnySchema }> };
type Operation = {
  operationId: string;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: Media & { required?: boolean };
  responses: Record<string, Media | { $ref: string }>;
};
type Description = {
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, unknown>;
    parameters: Record<string, Parameter>;
    responses: Record<string, Media>;
  };
};

const documentId = "github";
const compiled = new Map<string, ValidateFunction>();
let loaded: { description: Description; ajv: Ajv } | undefined;

/** Loads GitHub's own description. It has 13 MB, so all tests of a file share it. */
function load() {
  if (loaded === undefined) {
    const path = createRequire(import.meta.url).resolve("@octokit/openapi/generated/api.github.com.json");
    const description = JSON.parse(readFileSync(path, "utf8")) as Description;
    const ajv = new Ajv({ strict: false, allErrors: true, logger: false, coerceTypes: false });
    ajv.addFormat("uri", /^https?:\/\/\S+$/);
    ajv.addFormat("date-time", (text: string) => !Number.isNaN(Date.parse(text)));
    ajv.addSchema({ $id: documentId, components: { schemas: plain(description.components.schemas) } } as AnySchema);
    loaded = { description, ajv };
  }
  return loaded;
}

/**
 * Everything in an exchange that violates GitHub's OpenAPI description: unknown paths, missing or unknown parameters
 * and fields, wrong types, undescribed answers. For GraphQL, which has no OpenAPI description, only the envelope is
 * checked.
 */
export function violations(exchange: Exchange): string[] {
  const where = `${exchange.method} ${exchange.path}`;
  if (exchange.path === "/graphql") {
    const query = (exchange.body as { query?: unknown } | undefined)?.query;
    return exchange.method === "POST" && typeof query === "string" && !query.includes("mutation")
      ? []
      : [`${where}: not a GraphQL query`];
  }
  const { description } = load();
  const found = operationFor(description, exchange.method, exchange.path);
  if (found === null) return [`${where}: GitHub has no such operation`];
  const { operation, path } = found;
  const problems: string[] = [];
  const parameters = (operation.parameters ?? []).map((one) =>
    "$ref" in one ? (description.components.parameters[one.$ref.split("/").at(-1) as string] as Parameter) : one,
  );
  for (const parameter of parameters) {
    if (parameter.in === "header") continue;
    const value = (parameter.in === "path" ? path : exchange.query)[parameter.name];
    if (value === undefined) {
      if (parameter.required === true) problems.push(`${where}: parameter ${parameter.name} is missing`);
      continue;
    }
    const number = /^(integer|number)$/.test((parameter.schema as { type?: string }).type ?? "") && /^\d+$/.test(value);
    problems.push(
      ...validate(parameter.schema, number ? Number(value) : value, `${where}: parameter ${parameter.name}`),
    );
  }
  for (const name of Object.keys(exchange.query)) {
    if (!parameters.some((one) => one.in === "query" && one.name === name))
      problems.push(`${where}: GitHub knows no parameter ${name}`);
  }
  problems.push(
    ...requestProblems(operation, exchange, where),
    ...answerProblems(operation, exchange, where, description),
  );
  return problems;
}

/** @throws Error listing every violation in a transcript. Call it at the end of each test */
export function requireContract(transcript: readonly Exchange[]): void {
  const found = transcript.flatMap(violations);
  if (found.length > 0) throw new Error(`GitHub's OpenAPI description does not allow:\n${found.join("\n")}`);
}

function requestProblems(operation: Operation, { body }: Exchange, where: string): string[] {
  const schema = operation.requestBody?.content?.["application/json"]?.schema as
    | { properties?: Record<string, unknown> }
    | undefined;
  if (body === undefined) return operation.requestBody?.required === true ? [`${where}: the body is missing`] : [];
  if (schema === undefined) return [`${where}: takes no body`];
  const unknown = Object.keys(body as object).filter((name) => !(name in (schema.properties ?? {})));
  return [
    ...unknown.map((name) => `${where}: GitHub knows no field ${name}`),
    ...validate(schema, body, `${where}: body`),
  ];
}

function answerProblems(
  operation: Operation,
  { status, answer }: Exchange,
  where: string,
  description: Description,
): string[] {
  const listed = operation.responses[String(status)];
  // Any operation may refuse or fail. All such answers have the same format.
  if (listed === undefined && status >= 400)
    return validate({ $ref: "#/components/schemas/basic-error" }, answer, `${where}: answer ${status}`);
  if (listed === undefined) return [`${where}: GitHub does not answer ${status} here`];
  const media = "$ref" in listed ? description.components.responses[listed.$ref.split("/").at(-1) as string] : listed;
  const schema = media?.content?.["application/json"]?.schema;
  return schema === undefined ? [] : validate(schema, answer, `${where}: answer ${status}`);
}

type Template = { operation: Operation; names: string[]; pattern: RegExp };
/** Method and number of path segments → the templates that may match, in the description's order. */
const templates = new Map<string, Template[]>();

function templatesFor(description: Description, method: string, segments: number): Template[] {
  const key = `${method} ${segments}`;
  const found =
    templates.get(key) ??
    Object.entries(description.paths).flatMap(([template, operations]) => {
      const operation = operations[method];
      if (operation === undefined || template.split("/").length !== segments) return [];
      return [
        {
          operation,
          names: [...template.matchAll(/\{([^}]+)\}/g)].map((one) => one[1] as string),
          pattern: new RegExp(`^${template.replace(/\{[^}]+\}/g, "([^/]+)")}$`),
        },
      ];
    });
  templates.set(key, found);
  return found;
}

function operationFor(
  description: Description,
  method: string,
  path: string,
): { operation: Operation; path: Record<string, string> } | null {
  for (const { operation, names, pattern } of templatesFor(description, method.toLowerCase(), path.split("/").length)) {
    const match = pattern.exec(path);
    // Several templates may match, such as /comments/{id} and /comments/latest. The first in the description's order
    // counts.
    if (match !== null)
      return {
        operation,
        path: Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(match[i + 1] as string)])),
      };
  }
  return null;
}

function validate(schema: AnySchema, value: unknown, where: string): string[] {
  const { ajv } = load();
  const rooted = JSON.stringify(plain(schema)).replaceAll('"#/components/', `"${documentId}#/components/`);
  // Compiling takes far longer than checking, and the same few operations occur again and again.
  const check = compiled.get(rooted) ?? ajv.compile(JSON.parse(rooted) as AnySchema);
  compiled.set(rooted, check);
  return check(value)
    ? []
    : (check.errors ?? []).map(({ instancePath, message }) => `${where}${instancePath} ${message ?? "is wrong"}`);
}

/** Converts OpenAPI 3.0's `nullable` to JSON Schema, because ajv accepts it only beside a `type`. */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== "object" || schema === null) return schema;
  const { nullable, ...rest } = schema as { nullable?: unknown };
  const members = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [
      name,
      name === "example" || name === "examples" ? undefined : plain(value),
    ]),
  );
  return nullable === true
    ? { anyOf: [{ type: "null" }, members] }
    : { ...(nullable === undefined ? {} : { nullable: plain(nullable) }), ...members };
}
