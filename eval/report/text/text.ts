// Control characters (including line breaks and escape sequences), invisible and direction-changing characters, and
// lone surrogates. None belongs in a name or a reason, and several can forge what a reader sees.
const unfit = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+/gu;

/** Text from outside on one line, without characters that move the cursor or hide or reorder text. */
export function oneLine(text: string): string {
  return text.replace(unfit, " ").trim();
}

/** At most `maxLength` UTF-16 units, never cut inside a code point. Missing text shows as an ellipsis. */
export function cut(text: string, maxLength: number, ellipsis = "…"): string {
  if (text.length <= maxLength) return text;
  let kept = "";
  for (const character of text) {
    if (kept.length + character.length + ellipsis.length > maxLength) break;
    kept += character;
  }
  return kept + ellipsis;
}

/** Any JSON value in its shortest one-line form. */
export function valueText(value: unknown, maxLength = 200): string {
  if (value === null || value === undefined) return "none";
  return cut(oneLine(typeof value === "string" ? value : JSON.stringify(value)), maxLength);
}
