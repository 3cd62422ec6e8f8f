import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

export type Encoding = "br" | "gzip" | "identity";
/** Returns a body in the requested encoding. Each encoding is made once, at its first request, on another thread. */
export type CompressedBody = (encoding: Encoding) => Promise<Buffer>;

/** Images and fonts are compressed already. */
const COMPRESSIBLE = /^(text\/|image\/svg|application\/(json|manifest))/;
/** A smaller body fits into one packet anyway. */
const MIN_BYTES = 1000;

export function isCompressible(type: string, body: Buffer): boolean {
  return body.length >= MIN_BYTES && COMPRESSIBLE.test(type);
}

export function compressible(body: Buffer): CompressedBody {
  const made = new Map<Encoding, Promise<Buffer>>();
  const make = (encoding: Encoding): Promise<Buffer> => {
    // Above quality 5 brotli takes many times as long to save a few per cent.
    if (encoding === "br")
      return promisify(brotliCompress)(body, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
      });
    return encoding === "gzip" ? promisify(gzip)(body) : Promise.resolve(body);
  };
  return (encoding) => {
    let found = made.get(encoding);
    if (found === undefined) made.set(encoding, (found = make(encoding)));
    return found;
  };
}

/**
 * The best encoding that an Accept-Encoding header allows; with equal weights, brotli before gzip. RFC 9110, section
 * 12.5.3.
 */
export function encodingFor(accept: string | undefined): Encoding {
  let best: Encoding = "identity";
  let most = 0;
  const weights = new Map(
    (accept ?? "")
      .toLowerCase()
      .split(",")
      .map((part) => {
        const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim());
        const q = parameters
          .map((parameter) => /^q=([\d.]+)$/.exec(parameter)?.[1])
          .find((found) => found !== undefined);
        return [name, q === undefined ? 1 : Number(q)];
      }),
  );
  for (const encoding of ["br", "gzip"] as const) {
    const weight = weights.get(encoding) ?? weights.get("*") ?? 0;
    if (weight > most) [best, most] = [encoding, weight];
  }
  return best;
}
