import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ServedModel } from "../serving/served-model.ts";
import { Problem } from "./problem.ts";

/** A body that is a file, or a form with files, before it is known which row of which model it is. */
export class FileBody {
  readonly bytes: Buffer;
  readonly contentType: string;

  constructor(bytes: Buffer, contentType: string) {
    this.bytes = bytes;
    this.contentType = contentType;
  }
}

/** Parts of a form at most. */
const maxParts = 100;
const files = /^(audio|video|image)\//i;
const forms = /^multipart\/form-data\b/i;

/** Takes files and forms as bodies where a single row is asked about or a file is kept; everywhere else they are another media type. */
export function takeFiles(app: FastifyInstance): void {
  for (const types of [files, forms])
    app.addContentTypeParser<Buffer>(types, { parseAs: "buffer" }, (request, body, done) => {
      const contentType = request.headers["content-type"] ?? "";
      if (takesFiles(request)) done(null, new FileBody(body, contentType));
      else done(new Problem(415, "media-type", `Content-Type ${contentType.slice(0, 80)}; expected application/json`));
    });
}

const takesFiles = ({ routeOptions: { url = "" } }: FastifyRequest) =>
  url.endsWith("/predict") || url.endsWith("/upload");

type Fields = Pick<ServedModel, "id" | "imageFields" | "audioFields" | "rowSchema">;

/**
 * The row that a file is: its bytes as base64 in the model's field, so that it is checked, kept and answered as the same
 * file in JSON would be.
 *
 * @throws Problem 415 where the model reads no such file, 400 for a damaged form, 422 where it is not clear which field
 *   a file belongs to
 */
export async function rowOfFiles(model: Fields, { bytes, contentType }: FileBody): Promise<Record<string, unknown>> {
  const known = fileFields(model);
  if (known.length === 0) throw new Problem(415, "media-type", `${model.id} reads no files; expected application/json`);
  if (forms.test(contentType)) return formRow(model, known, bytes, contentType);
  const kind = contentType.toLowerCase().startsWith("image/") ? "image" : "audio";
  const own = known.filter((one) => one.kind === kind);
  if (own.length === 0)
    throw new Problem(
      415,
      "media-type",
      `${model.id} reads no ${kind === "image" ? "picture" : "sound"}; expected ${kind === "image" ? "audio/…" : "image/…"} or application/json`,
    );
  if (own.length > 1)
    throw unclear(own[0]!.name, `several fields take such a file: ${own.map(({ name }) => name).join(", ")}`);
  return { [own[0]!.name]: bytes.toString("base64") };
}

async function formRow(
  model: Fields,
  known: readonly { name: string }[],
  bytes: Buffer,
  contentType: string,
): Promise<Record<string, unknown>> {
  const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } })
    .formData()
    .catch(() => {
      throw new Problem(400, "bad-form", "the form cannot be read: it is damaged, or its boundary is another");
    });
  const parts = [...form.entries()];
  if (parts.length > maxParts) throw new Problem(413, "too-many-parts", `${parts.length} parts; at most ${maxParts}`);
  const row: Record<string, unknown> = {};
  for (const [name, value] of parts) {
    // Where only one field can be meant, clients call it whatever their form does.
    const field = typeof value !== "string" && name === "file" && known.length === 1 ? known[0]!.name : name;
    if (Object.hasOwn(row, field)) throw unclear(field, "the form has this field twice");
    if (typeof value !== "string" && !known.some((one) => one.name === field))
      throw unclear(field, `no file belongs here; files are: ${known.map((one) => one.name).join(", ")}`);
    const given = typeof value === "string" ? typed(model, field, value) : await base64(value);
    Object.defineProperty(row, field, { value: given, enumerable: true, writable: true, configurable: true });
  }
  return row;
}

const base64 = async (file: Blob) => Buffer.from(await file.arrayBuffer()).toString("base64");

/** A form has only texts; a field that takes none is JSON. */
function typed(model: Fields, field: string, text: string): unknown {
  const schema = Object.hasOwn(model.rowSchema.shape, field) ? model.rowSchema.shape[field] : undefined;
  if (
    schema === undefined ||
    (schema as { safeParse: (value: unknown) => { success: boolean } }).safeParse(text).success
  )
    return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const fileFields = ({ imageFields, audioFields = [] }: Fields) => [
  ...imageFields.map(({ name }) => ({ name, kind: "image" as const })),
  ...audioFields.map(({ name }) => ({ name, kind: "audio" as const })),
];

const unclear = (field: string, problem: string) =>
  new Problem(422, "bad-row", `${field}: ${problem}`, {
    errors: [{ field, problem, expected: "multipart/form-data with a part for each field, or JSON" }],
  });

/** How OpenAPI describes these bodies; empty for a model without files. */
export function fileContent(model: Fields): Record<string, object> {
  const known = fileFields(model);
  if (known.length === 0) return {};
  const only = (kind: "image" | "audio") => known.filter((one) => one.kind === kind).length === 1;
  const binary = { schema: { type: "string", format: "binary" } };
  return {
    ...(only("audio") ? { "audio/*": binary, "video/*": binary } : {}),
    ...(only("image") ? { "image/*": binary } : {}),
    "multipart/form-data": {
      schema: {
        type: "object",
        properties: Object.fromEntries(known.map(({ name }) => [name, { type: "string", format: "binary" }])),
      },
    },
  };
}
