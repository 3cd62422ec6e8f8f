// Control characters (line breaks and escape sequences among them), invisible and direction-changing ones, and lone
// surrogates: none has business in a name or a reason, and several can forge what a reader sees.
const unfit = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+/gu;

/** Text from outside on one line, without anything that moves the cursor, hides or reorders what is read. */
export function oneLine(text: string): string {
  return text.replace(unfit, " ").trim();
}

/** At most `longest` UTF-16 units, never through a code point; what is missing shows as an ellipsis. */
export function cut(text: string, longest: number, ellipsis = "…"): string {
  if (text.length <= longest) return text;
  let kept = "";
  for (const character of text) {
    if (kept.length + character.length + ellipsis.length > longest) break;
    kept += character;
  }
  return kept + ellipsis;
}

/** Any JSON value in its shortest one-line form. */
export function valueText(value: unknown, longest = 200): string {
  if (value === null || value === undefined) return "none";
  return cut(oneLine(typeof value === "string" ? value : JSON.stringify(value)), longest);
}
