import { type Glyphs, unicode } from "./glyphs.ts";

const maxDecimals = 9;

/**
 * A number with exactly `decimals` decimals and grouped thousands: 10871.26 → "10,871.3". A value that rounds to zero
 * has no sign. Beyond 1e15 the scientific form is used, because grouping would show digits that a double does not have.
 */
export function fixed(value: number, decimals: number, glyphs: Glyphs = unicode): string {
  if (!Number.isFinite(value))
    return Number.isNaN(value) ? "not a number" : value > 0 ? "infinite" : `${glyphs.minus}infinite`;
  const text =
    Math.abs(value) >= 1e15
      ? Math.abs(value).toExponential(3)
      : grouped(Math.abs(value).toFixed(clampDecimals(decimals)));
  return value < 0 && /[1-9]/.test(text) ? glyphs.minus + text : text;
}

/** Like `fixed`, with a plus sign before positive values; a value that rounds to zero has no sign. */
export function signed(value: number, decimals: number, glyphs: Glyphs = unicode): string {
  const text = fixed(value, decimals, glyphs);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** How many decimals show `digits` significant digits of something as large as `scale`, between 0 and 9. */
export function decimalsFor(scale: number, digits: number): number {
  if (!Number.isFinite(scale) || scale === 0) return 0;
  return clampDecimals(digits - 1 - Math.floor(Math.log10(Math.abs(scale)) + 1e-9));
}

/** A single number with `digits` significant digits (integers in full), e.g. 0.91424 → "0.9142", 251.337 → "251.3". */
export function significant(value: number, digits = 4, glyphs: Glyphs = unicode): string {
  return fixed(value, Number.isInteger(value) ? 0 : decimalsFor(value, digits), glyphs);
}

/**
 * A setting as its author wrote it when that is short (0.005 → "0.005"), otherwise rounded to `decimals + 1` decimals
 * (a relative margin after multiplication).
 */
export function setting(value: number, decimals: number, glyphs: Glyphs = unicode): string {
  const written = decimalsWritten(value);
  return fixed(value, Math.min(written, decimals + 1), glyphs);
}

/** "3,000" */
export function count(n: number): string {
  return fixed(n, 0);
}

/** "1 row", "3,000 rows" */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Number of rows of a dataset, and whether they are simulated. */
export function countedRows(dataset: { rows: number; provenance?: "collected" | "simulated" | undefined }): string {
  return counted(dataset.rows, dataset.provenance === "simulated" ? "simulated row" : "row");
}

/** The decimal (SI) unit in which `largest` bytes are easiest to read. */
export function byteUnit(largest: number): { factor: number; unit: string } {
  const size = Math.abs(largest);
  if (size >= 1e9) return { factor: 1e9, unit: "GB" };
  if (size >= 1e6) return { factor: 1e6, unit: "MB" };
  return size >= 1e3 ? { factor: 1e3, unit: "kB" } : { factor: 1, unit: "bytes" };
}

/** 4512345 → "4.51 MB" (decimal megabytes) */
export function bytes(n: number, glyphs: Glyphs = unicode): string {
  const { factor, unit } = byteUnit(n);
  return `${factor === 1 ? fixed(n, 0, glyphs) : fixed(n / factor, decimalsFor(n / factor, 3), glyphs)} ${unit}`;
}

/** 2.1 → "2.10", 312.4 → "312": three significant digits. The heading shows the unit. */
export function milliseconds(ms: number, glyphs: Glyphs = unicode): string {
  return fixed(ms, decimalsFor(ms, 3), glyphs);
}

/** 0.9 → "90%", 0.975 → "97.5%" */
export function percent(fraction: number): string {
  const rounded = Number((fraction * 100).toFixed(4));
  return `${fixed(rounded, decimalsWritten(rounded))}%`;
}

/** The first twelve digits of a digest, without a leading "sha256:". */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256[:-]/, "").slice(0, 12);
}

/** Number of decimals in the shortest form that reads back as the same double. */
function decimalsWritten(value: number): number {
  const [mantissa = "", exponent = "0"] = String(Math.abs(value)).split("e");
  return clampDecimals((mantissa.split(".")[1]?.length ?? 0) - Number(exponent));
}

function clampDecimals(decimals: number): number {
  return Math.min(maxDecimals, Math.max(0, decimals));
}

function grouped(digits: string): string {
  const [whole = "", rest] = digits.split(".");
  const withCommas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? withCommas : `${withCommas}.${rest}`;
}
