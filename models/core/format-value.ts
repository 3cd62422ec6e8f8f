/**
 * A value as an error message quotes it, in at most 80 characters: its JSON, or its type where JSON has no form for it.
 * A long text or list is described by its length.
 */
export function formatValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string" && value.length > 200) return `a text of ${value.length} characters`;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value) && value.length > 16) return `a list of ${value.length}`;
  let text: string;
  try {
    text = JSON.stringify(value) ?? typeof value;
  } catch {
    text = typeof value;
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
