import { RowError } from "../row.ts";

type Kind = {
  field: string;
  /** What it should be, in words: "image", "sound". */
  what: string;
  /** Beginning of its media types in a data: URL. */
  media: readonly string[];
  maxBytes: number;
  /** The error for a field that is absent, or holds too much. */
  unusable: (problem: string, expected: string, received: unknown, shown?: string) => RowError;
};

/**
 * The bytes of a file in a row's field: raw, as base64 or as a data: URL.
 *
 * @throws RowError
 */
export function encodedBytes(value: unknown, { field, what, media, maxBytes, unusable }: Kind): Uint8Array {
  const expected = "base64 text, a data: URL or bytes";
  if (value === undefined || value === null) throw unusable(`the ${what} is missing`, expected, value);
  const tooLarge = (size: number) =>
    unusable(`the ${what} is too large`, `at most ${maxBytes} bytes`, undefined, `${size} bytes`);
  if (value instanceof Uint8Array) {
    if (value.length > maxBytes) throw tooLarge(value.length);
    return value;
  }
  if (typeof value !== "string")
    throw new RowError(field, `not ${/^[aeio]/.test(what) ? "an" : "a"} ${what}`, expected, value);
  const text = value.startsWith("data:") ? dataUrl(value, field, what, media) : value;
  if (text.length * 0.75 > maxBytes + 2) throw tooLarge(Math.floor(text.length * 0.75));
  if (text.length === 0 || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new RowError(field, "not base64", expected, value);
  return Buffer.from(text, "base64");
}

function dataUrl(value: string, field: string, what: string, media: readonly string[]): string {
  // Recorders add what the sound is coded with, also with a comma: data:video/webm;codecs=vp8,opus;base64,…
  const end = value.slice(0, maxHead).indexOf(marker);
  const head = value.slice(0, Math.max(0, end));
  if (
    !/^data:[\w.+-]+\/[\w.+-]+(;[\w.+-]+=[\w.,+"-]+)*$/.test(head) ||
    !media.some((one) => head.startsWith(`data:${one}/`))
  )
    throw new RowError(
      field,
      `not a data: URL of ${/^[aeio]/.test(what) ? "an" : "a"} ${what}`,
      `data:${media[0]}/…;base64,…`,
      value.slice(0, 60),
    );
  return value.slice(end + marker.length);
}

const marker = ";base64,";
const maxHead = 200;
