import type { IncomingMessage } from "node:http";
import { jsonFields } from "./schemas.ts";

/**
 * The parameters of a call, from its query or its JSON, form or multipart body. Files become {filename, type, bytes}.
 */
export async function readParameters(
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const type = request.headers["content-type"] ?? "";
  const parameters: Record<string, unknown> = Object.fromEntries(
    [...query].map(([name, value]) => [name, plain(name, value)]),
  );
  if (body.length === 0) return parameters;
  if (type.startsWith("application/json")) return { ...parameters, ...(JSON.parse(body.toString("utf8")) as object) };
  const form = await new Response(body, { headers: { "content-type": type } }).formData();
  for (const [name, value] of form) {
    if (name === "method") continue;
    parameters[name] =
      typeof value === "string"
        ? plain(name, value)
        : { filename: value.name, type: value.type, bytes: new Uint8Array(await value.arrayBuffer()) };
  }
  return parameters;
}

/** Outside JSON, every value is text. As Telegram does, a text that looks like a number or a boolean is read as one. */
function plain(name: string, value: string): unknown {
  if (jsonFields.has(name)) {
    try {
      return JSON.parse(value) as unknown;
    } catch {
      return value;
    }
  }
  if (["text", "caption", "callback_query_id"].includes(name)) return value;
  if (/^-?\d{1,15}$/.test(value)) return Number(value);
  return value === "true" ? true : value === "false" ? false : value;
}
