/** A file to upload, as telegraf takes it. */
export type InputFile = { source: Buffer; filename: string };

function isFile(value: unknown): value is InputFile {
  return typeof value === "object" && value !== null && "source" in value && Buffer.isBuffer(value.source);
}

/**
 * Parameters in the form that telegraf needs. With a file, telegraf writes a multipart body and silently drops every
 * object that it does not know (reply_parameters, link_preview_options), so objects become JSON text. Its Markup.button
 * helpers add a `hide` field to buttons that the API does not know, so it is removed. Text is made valid Unicode,
 * because half a surrogate pair makes Telegram refuse the whole call.
 */
export function preparePayload(payload: Record<string, unknown>): Record<string, unknown> {
  const hasFile = Object.values(payload).some(isFile);
  return Object.fromEntries(
    Object.entries(payload)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => {
        if (isFile(value)) return [name, value];
        const tidy = clean(value);
        return [name, hasFile && typeof tidy === "object" && tidy !== null ? JSON.stringify(tidy) : tidy];
      }),
  );
}

function clean(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== "object" || value === null) return value;
  const isButton = "text" in value && "hide" in value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, one]) => one !== undefined && !(isButton && name === "hide"))
      .map(([name, one]) => [name, clean(one)]),
  );
}
