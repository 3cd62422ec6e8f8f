/** Anything that looks like a bot token: digits, a colon, at least thirty characters. */
const anyToken = /\b\d{6,}(:|%3[Aa])[\w-]{30,}/g;

/**
 * Makes a function that hides a bot token in any text, be it whole, percent-encoded, or only its secret half. Libraries
 * put the request's URL, and with it the token, into messages and stacks.
 */
export function redactor(token: string): (text: string) => string {
  const secret = token.split(":")[1] ?? "";
  const known = [token, encodeURIComponent(token), secret].filter((one) => one.length >= 8);
  return (text) => known.reduce((hidden, one) => hidden.replaceAll(one, "[token]"), text).replace(anyToken, "[token]");
}
