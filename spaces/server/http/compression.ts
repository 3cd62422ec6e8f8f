import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

export type Encoding = "br" | "gzip" | "identity";
/** A body in the encoding that is asked for; each is made once, on another thread, on the first request for it. */
export type CompressedBody = (encoding: Encoding) => Promise<Buffer>;

/** Images and fonts are compressed already. */
const COMPRESSIBLE = /^(text\/|image\/svg|application\/(json|manifest))/;
/** Less than this fits one packet anyway. */
const MIN_BYTES = 1000;

export function isCompressible(type: string, body: Buffer): boolean {
  return body.length >= MIN_BYTES && COMPRESSIBLE.test(type);
}

export function compressible(body: Buffer): CompressedBody {
  const made = new Map<Encoding, Promise<Buffer>>();
  const make = (encoding: Encoding): Promise<Buffer> => {
    // Beyond quality 5 brotli takes many times as long for a few per cent.
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
 * The best encoding that an Accept-Encoding header allows; brotli before gzip where both weigh the same. RFC 9110,
 * section 12.5.3.
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
