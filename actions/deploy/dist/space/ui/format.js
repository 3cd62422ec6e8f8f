/** Numbers and times in the reader's locale. */

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const small = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const exact = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });

/** @param {number} ms @returns {string} a few digits and a unit, e.g. "4.21 ms" or "1.4 s" */
export function duration(ms) {
  if (!Number.isFinite(ms)) return "–";
  if (ms >= 100_000) return `${whole.format(ms / 1000)} s`;
  if (ms >= 1000) return `${short.format(ms / 1000)} s`;
  if (ms < 0.01 && ms > 0) return "< 0.01 ms";
  return `${ms < 1 ? small.format(ms) : short.format(ms)} ms`;
}

/** @param {number} value @returns {string} */
export function number(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1000) return whole.format(value);
  return size >= 100
    ? new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(value)
    : exact.format(Number(value.toPrecision(4)));
}

/** @param {number} value @returns {string} */
export function count(value) {
  return whole.format(value);
}

/**
 * @param {number} share 0..1
 * @returns {string} never "100 %" for less than all, nor "0 %" for more than none
 */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share > 0.9995 && share < 1) return "> 99.9 %";
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return `${(share * 100).toFixed(1)} %`;
}

/**
 * @param {number} amount
 * @param {string} currency ISO 4217
 * @returns {string} two decimals, up to four below 1; below 0.0001 two digits that are not 0
 */
export function money(amount, currency) {
  if (amount > 0 && amount < 1e-4)
    return new Intl.NumberFormat(undefined, { style: "currency", currency, maximumSignificantDigits: 2 }).format(
      amount,
    );
  return new Intl.NumberFormat(undefined, {
    style: "currency",
    currency,
    minimumFractionDigits: 2,
    maximumFractionDigits: amount > 0 && amount < 1 ? 4 : 2,
  }).format(amount);
}

/** @param {number} bytes @returns {string} */
export function size(bytes) {
  if (!Number.isFinite(bytes)) return "–";
  const units = ["B", "kB", "MB", "GB"];
  let step = 0;
  let left = bytes;
  while (left >= 1000 && step < units.length - 1) {
    left /= 1000;
    step += 1;
  }
  return `${step === 0 ? whole.format(left) : short.format(left)} ${units[step]}`;
}

/** @param {string} text @param {number} length @returns {string} at most that many characters, on one line */
export function shorten(text, length) {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const letters = [...line];
  return letters.length <= length ? line : `${letters.slice(0, length - 1).join("")}…`;
}

/** @param {Date} date @returns {string} hours, minutes, seconds */
export function clock(date) {
  return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** @param {number} n @param {string} one @param {string} [many] @returns {string} "1 row", "2 rows" */
export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}
