import { STANDARD_ANSWER } from "../../../models/core/media-type.ts";

/** Whether an Accept header names the standard answer. It matters only for models with a JSON of their own. */
export function wantsStandard(accept: string | undefined): boolean {
  return accept?.includes(STANDARD_ANSWER) === true;
}

/**
 * Whether an Accept header prefers a web page to JSON: text/html is named, and JSON is not named with a higher weight.
 * `*` alone (curl) means JSON. RFC 9110, section 12.5.1.
 */
export function wantsPage(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  let html = 0;
  let json = 0;
  for (const part of accept.split(",")) {
    const [type = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const weight = parameters
      .map((parameter) => /^q=([\d.]+)$/.exec(parameter)?.[1])
      .find((found) => found !== undefined);
    const q = weight === undefined ? 1 : Number(weight);
    if (!(q > 0)) continue;
    if (type === "text/html" || type === "application/xhtml+xml") html = Math.max(html, q);
    if (type === "application/json" || type.endsWith("+json")) json = Math.max(json, q);
  }
  return html > 0 && html >= json;
}
