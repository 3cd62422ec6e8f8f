const EMAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
/** 13 to 19 digits, single spaces or dashes between. */
const CARD = /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])/g;
/**
 * An international or national number of 7 to 15 digits as people write them; bare integers are measurements, not
 * phones.
 */
const PHONE =
  /(?<![\w.])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}|\(\d{2,4}\)[ .-]?\d{3,4}[ .-]?\d{3,4}|\d{2,4}[ -]\d{3,4}[ -]\d{3,4}|0\d{9,10})(?![\w.])/g;

/** Takes e-mail addresses, card numbers (by their check digit) and phone numbers out of a text. */
export function redact(text: string): string {
  return text
    .replace(EMAIL, "[email]")
    .replace(CARD, (digits) => (luhn(digits.replaceAll(/\D/g, "")) ? "[card]" : digits))
    .replace(PHONE, "[phone]");
}

/** The check digit of payment cards (ISO/IEC 7812-1, annex B). */
function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    sum += i % 2 === 0 ? digit : digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}
