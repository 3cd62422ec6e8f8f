import { STANDARD_ANSWER } from "../../../models/core/media-type.ts";

/** Whether an Accept header names the standard answer. It matters only for models with a JSON of their own. */
export function wantsStandard(accept: string | undefined): boolean {
  return accept?.includes(STANDARD_ANSWER) === true;
}

/** Whether an Accept header asks for server-sent events. A weight of 0 means that they are not wanted. */
export function wantsEvents(accept: string | undefined): boolean {
  return (
    accept?.includes("text/event-stream") === true &&
    weights(accept).some(([type, q]) => type === "text/event-stream" && q > 0)
  );
}

/**
 * Whether an Accept header prefers a web page to JSON: text/html is named, and JSON is not named with a higher weight.
 * `*` alone (curl) means JSON. RFC 9110, section 12.5.1.
 */
export function wantsPage(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const highest = (...types: RegExp[]) =>
    Math.max(0, ...weights(accept).map(([type, q]) => (types.some((one) => one.test(type)) ? q : 0)));
  const html = highest(/^text\/html$/, /^application\/xhtml\+xml$/);
  return html > 0 && html >= highest(/^application\/json$/, /\+json$/);
}

/** The media types of an Accept header with their weights; 1 where none is given. */
function weights(accept: string): [type: string, q: number][] {
  return accept.split(",").map((part) => {
    const [type = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const weight = parameters
      .map((parameter) => /^q=([\d.]+)$/.exec(parameter)?.[1])
      .find((found) => found !== undefined);
    return [type, weight === undefined ? 1 : Number(weight) || 0];
  });
}
