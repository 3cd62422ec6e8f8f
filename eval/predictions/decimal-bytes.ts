const powers = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const splitter = 134217729;
const slack = 2 ** -45;

/** Where the last number ended. */
let end = 0;
export function endOfDecimal(): number {
  return end;
}

/**
 * The decimal number that begins at `from`, as `parseDecimal` reads it, correctly rounded; NaN where there is none.
 * `endOfDecimal` then says where it ends.
 *
 * Up to 15 digits and a power of ten up to 22 are exact doubles, so one operation rounds rightly (Clinger, PLDI 1990).
 * Up to 19 digits are divided in double-double arithmetic (Dekker, Numer. Math. 18, 1971); where the error bound leaves
 * the rounding open, and for all other numbers, JavaScript's own Number decides.
 *
 * @param bytes must end in a byte that no number holds
 * @param mark code of the decimal mark
 */
export function decimalAt(bytes: Buffer, from: number, mark: number): number {
  let at = from;
  const sign = bytes[at];
  if (sign === 45 || sign === 43) at++;
  let high = 0;
  let low = 0;
  let digits = 0;
  let lowDigits = 0;
  let scale = 0;
  let seen = 0;
  let pointed = false;
  for (;;) {
    const digit = (bytes[at] as number) - 48;
    if (digit >= 0 && digit <= 9) {
      seen++;
      if (pointed) scale--;
      if (digits > 0 || digit > 0) {
        if (digits < 15) high = high * 10 + digit;
        else if (digits < 19) {
          low = low * 10 + digit;
          lowDigits++;
        }
        digits++;
      }
    } else if (!pointed && bytes[at] === mark) pointed = true;
    else break;
    at++;
  }
  if (seen === 0) {
    end = at;
    return Number.NaN;
  }
  if (((bytes[at] as number) | 32) === 101) {
    at++;
    const exponentSign = bytes[at];
    if (exponentSign === 45 || exponentSign === 43) at++;
    let exponent = 0;
    let exponentDigits = 0;
    for (let digit = (bytes[at] as number) - 48; digit >= 0 && digit <= 9; digit = (bytes[++at] as number) - 48) {
      exponent = Math.min(99999, exponent * 10 + digit);
      exponentDigits++;
    }
    if (exponentDigits === 0) {
      end = at;
      return Number.NaN;
    }
    scale += exponentSign === 45 ? -exponent : exponent;
  }
  end = at;
  const size = magnitude(high, low, digits, lowDigits, scale);
  if (size >= 0) return sign === 45 ? -size : size;
  return Number(bytes.toString("latin1", from, at).replace(",", "."));
}

/** (high · 10^lowDigits + low) · 10^scale; -1 where this cannot round it rightly. */
function magnitude(high: number, low: number, digits: number, lowDigits: number, scale: number): number {
  if (digits > 19 || scale < -22 || scale > 22) return high === 0 && digits === 0 ? 0 : -1;
  const power = powers[lowDigits] as number;
  const whole = high * power + low;
  if (whole <= 9007199254740991) {
    return scale < 0 ? whole / (powers[-scale] as number) : scale > 0 ? whole * (powers[scale] as number) : whole;
  }
  if (scale >= 0) return -1;
  const divisor = powers[-scale] as number;
  const product = high * power;
  const productError = errorOfProduct(high, power, product);
  const sum = product + low;
  const sumError = productError + (low - (sum - product));
  const quotient = sum / divisor;
  const back = quotient * divisor;
  const rest = sum - back - errorOfProduct(quotient, divisor, back) + sumError;
  const more = rest / divisor;
  const value = quotient + more * (1 - slack);
  return value === quotient + more * (1 + slack) ? value : -1;
}

/** a · b - product, exactly. */
function errorOfProduct(a: number, b: number, product: number): number {
  const wideA = splitter * a;
  const highA = wideA - (wideA - a);
  const lowA = a - highA;
  const wideB = splitter * b;
  const highB = wideB - (wideB - b);
  const lowB = b - highB;
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
}
