import { isUtf8 } from "node:buffer";
import { ConfigurationError, EvaluationError } from "../../../models/core/errors.ts";
import { openUnpacked } from "./packing.ts";
import type { FileSource } from "./source.ts";

/**
 * A text file as UTF-8 without byte-order mark, piece by piece, each piece whole characters. UTF-8 is expected, or what
 * a byte-order mark says, or the declared encoding. Nothing is replaced: a byte that does not fit is an error that
 * names its line, and so is a NUL.
 *
 * @param name the file's name in errors
 * @param declared a label of the WHATWG Encoding Standard, as TextDecoder knows them
 * @throws EvaluationError `encoding`, and those of `openUnpacked`; ConfigurationError `unknown-encoding`
 */
export async function* readUtf8(path: FileSource, name: string, declared?: string): AsyncGenerator<Buffer> {
  const wanted = declared === undefined ? null : labelled(declared, name);
  const { chunks } = await openUnpacked(path, name);
  const file: OpenText = { path, name, declared: wanted !== null, encoding: "utf-8", offset: 0 };
  let rest: Buffer = Buffer.alloc(0);
  let begun = false;
  const begin = (bytes: Buffer): Buffer => {
    begun = true;
    const mark = markOf(bytes, wanted, name);
    file.encoding = wanted ?? mark?.encoding ?? "utf-8";
    file.offset = mark?.length ?? 0;
    return bytes.subarray(file.offset);
  };
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!begun && rest.length < 4) continue;
    if (!begun) rest = begin(rest);
    const end = wholeEnd(rest, file.encoding);
    if (end === 0) continue;
    yield await toUtf8(rest.subarray(0, end), file);
    file.offset += end;
    rest = rest.subarray(end);
  }
  if (!begun) rest = begin(rest);
  if (rest.length > 0) yield await toUtf8(rest, file);
}

type OpenText = {
  path: FileSource;
  name: string;
  /** Whether the encoding was declared, not assumed. */
  declared: boolean;
  encoding: string;
  /** Unpacked bytes before the piece at hand. */
  offset: number;
};

function labelled(label: string, name: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    throw new ConfigurationError({
      code: "unknown-encoding",
      place: name,
      problem: "no such encoding",
      expected:
        "a label of the WHATWG Encoding Standard: utf-8, windows-1252, iso-8859-2, utf-16le, shift_jis, gb18030 …",
      received: label,
      example: "encoding: windows-1252",
    });
  }
}

const marks = [
  { encoding: "utf-32le", bytes: Buffer.of(0xff, 0xfe, 0, 0) },
  { encoding: "utf-32be", bytes: Buffer.of(0, 0, 0xfe, 0xff) },
  { encoding: "utf-8", bytes: Buffer.of(0xef, 0xbb, 0xbf) },
  { encoding: "utf-16le", bytes: Buffer.of(0xff, 0xfe) },
  { encoding: "utf-16be", bytes: Buffer.of(0xfe, 0xff) },
];

function markOf(bytes: Buffer, declared: string | null, name: string): { encoding: string; length: number } | null {
  const mark = marks.find((one) => bytes.subarray(0, one.bytes.length).equals(one.bytes));
  if (mark === undefined) return null;
  const { encoding } = mark;
  if (encoding.startsWith("utf-32") || (declared !== null && declared !== encoding))
    throw new EvaluationError({
      code: "encoding",
      place: name,
      problem: `the file begins with the byte-order mark of ${encoding.toUpperCase()}`,
      expected: declared ?? "UTF-8, UTF-16, or a declared encoding",
      received: `the bytes ${hex(mark.bytes)}`,
      hint: encoding.startsWith("utf-32") ? "save the file as UTF-8" : "leave the declaration out: the mark suffices",
    });
  return { encoding, length: mark.bytes.length };
}

/**
 * Where the last whole character ends: in UTF-8 before an unfinished one, elsewhere after the last line feed, whose
 * byte no encoding uses within another character, except UTF-16.
 */
function wholeEnd(bytes: Buffer, encoding: string): number {
  if (encoding.startsWith("utf-16")) {
    const [low, high] = encoding === "utf-16le" ? [10, 0] : [0, 10];
    for (let at = (bytes.length & ~1) - 2; at >= 0; at -= 2)
      if (bytes[at] === low && bytes[at + 1] === high) return at + 2;
    return 0;
  }
  if (encoding !== "utf-8") return bytes.lastIndexOf(10) + 1;
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte >= 0xc0) return bytes.length - (back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0);
    if (byte < 0x80) break;
  }
  return bytes.length;
}

async function toUtf8(piece: Buffer, file: OpenText): Promise<Buffer> {
  if (file.encoding === "utf-8") {
    if (!isUtf8(piece)) throw await notUtf8(piece, file);
    const nul = piece.indexOf(0);
    if (nul >= 0) throw await nulByte(piece, nul, file);
    return piece;
  }
  const text = decoded(piece, file.encoding);
  const end = text === null ? decodablePrefix(piece, file.encoding) : text.indexOf("\0");
  if (text === null || end >= 0)
    throw new EvaluationError({
      code: "encoding",
      place: text === null ? await placeOf(file, end) : file.name,
      problem:
        text === null
          ? `the text is not ${file.encoding.toUpperCase()}, as ${file.declared ? "declared" : "the byte-order mark says"}`
          : `the text holds a NUL character, read as ${file.encoding.toUpperCase()}`,
      expected: `text in ${file.encoding}`,
      received:
        text === null
          ? `the bytes ${hex(piece.subarray(end, end + 8))}`
          : JSON.stringify(text.slice(Math.max(0, end - 12), end + 4)),
      hint: "is the file in another encoding, or damaged?",
    });
  return Buffer.from(file.encoding === "windows-1252" ? text.replace(/[\u0080-\u009f]/g, of1252) : text);
}

function decoded(bytes: Uint8Array, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** 0x80 to 0x9F in windows-1252. Some versions of Node decode them as the control characters of ISO 8859-1. */
const upper1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";
const of1252 = (control: string) => upper1252[control.charCodeAt(0) - 0x80] as string;

/** Length of the longest prefix that decodes. */
function decodablePrefix(piece: Buffer, encoding: string): number {
  const decoder = () => new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  let low = 0;
  let high = piece.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    try {
      decoder().decode(piece.subarray(0, middle), { stream: true });
      low = middle;
    } catch {
      high = middle;
    }
  }
  return low;
}

const hex = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");

async function notUtf8(piece: Buffer, file: OpenText): Promise<EvaluationError> {
  const text = piece.toString("utf8");
  let at = 0;
  for (let i = text.indexOf("\ufffd"); i >= 0; i = text.indexOf("\ufffd", i + 1)) {
    at = Buffer.byteLength(text.slice(0, i));
    if (hex(piece.subarray(at, at + 3)) !== "EF BF BD") break;
  }
  const bad = piece.subarray(at, Math.max(at + 1, Math.min(piece.length, at + 4)));
  const likely = likelyEncoding(piece, at);
  const from = Math.max(piece.lastIndexOf(10, at) + 1, at - 16);
  const stop = piece.indexOf(10, at);
  const around = piece.subarray(from, Math.min(at + 12, stop < 0 ? piece.length : stop));
  const reading = likely === null ? null : decoded(around, likely)?.replace(/[\u0080-\u009f]/g, of1252);
  return new EvaluationError({
    code: "encoding",
    place: await placeOf(file, at),
    problem: `the text is not UTF-8${file.declared ? ", as declared" : ""}`,
    expected: "UTF-8, or a declared encoding",
    received: `the bytes ${hex(bad)}${likely === null ? "" : `, which are likely ${likely === "windows-1252" ? "windows-1252 (Latin-1)" : likely}`}${reading === null || reading === undefined || !likely?.startsWith("windows") ? "" : `: ${JSON.stringify(reading)}`}`,
    ...declareExample(likely ?? "windows-1252"),
  });
}

async function nulByte(piece: Buffer, at: number, file: OpenText): Promise<EvaluationError> {
  const likely = likelyEncoding(piece, at);
  return new EvaluationError({
    code: "encoding",
    place: await placeOf(file, at),
    problem: "the text holds a NUL byte",
    expected: "text in UTF-8",
    received: `the bytes ${hex(piece.subarray(Math.max(0, at - 3), at + 5))}${likely?.startsWith("utf-16") === true ? `, which are likely ${likely} without a byte-order mark` : ""}`,
    ...(likely?.startsWith("utf-16") === true
      ? declareExample(likely)
      : { hint: "is the file text at all? A NUL stands in no CSV or JSON text" }),
  });
}

function declareExample(encoding: string): { example: string; hint: string } {
  return {
    example: `encoding: ${encoding}   (beside the file's path in model.yaml; --encoding ${encoding} on the command line)`,
    hint: "declare the encoding that wrote the file, or save it as UTF-8",
  };
}

/** UTF-16 by the NULs in every other byte near `at`; else the encoding that most files without UTF-8 have. */
function likelyEncoding(piece: Buffer, at: number): string | null {
  const from = Math.max(0, at - 64) & ~1;
  const near = piece.subarray(from, from + 256);
  let even = 0;
  let odd = 0;
  for (let i = 0; i < near.length; i++) {
    if (near[i] !== 0) continue;
    if (i % 2 === 0) even++;
    else odd++;
  }
  if (odd > near.length / 4 && even < odd / 4) return "utf-16le";
  if (even > near.length / 4 && odd < even / 4) return "utf-16be";
  return even + odd > 0 ? null : "windows-1252";
}

/** FILE:LINE of a byte of the piece at hand. The file is read again, because lines are not counted on the way. */
async function placeOf(file: OpenText, at: number): Promise<string> {
  const { chunks } = await openUnpacked(file.path, file.name);
  let left = file.offset + at;
  let feeds = 0;
  let returns = 0;
  const wide = file.encoding.startsWith("utf-16");
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, left);
    for (let i = 0; i < part.length; i++) {
      if (part[i] === 10 && (!wide || part[i ^ 1] === 0)) feeds++;
      else if (part[i] === 13) returns++;
    }
    left -= part.length;
    if (left === 0) break;
  }
  return `${file.name}:${1 + (feeds === 0 ? returns : feeds)}`;
}
