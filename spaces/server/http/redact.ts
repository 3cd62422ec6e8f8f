const EMAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
/** 13 to 19 digits, which may be separated by single spaces or dashes. */
const CARD = /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])/g;
/**
 * A national or international number of 7 to 15 digits in the usual notations. Plain integers are measurements, not
 * phone numbers.
 */
const PHONE =
  /(?<![\w.])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}|\(\d{2,4}\)[ .-]?\d{3,4}[ .-]?\d{3,4}|\d{2,4}[ -]\d{3,4}[ -]\d{3,4}|0\d{9,10})(?![\w.])/g;

/** Replaces e-mail addresses, card numbers (recognised by their check digit) and phone numbers in a text. */
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
