import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { Agent, request } from "undici";

/** Why a URL was not fetched; the message may be shown to the client that sent it. */
export class FetchRefused extends Error {
  override name = "FetchRefused";
}

type Resolve = (host: string, done: (error: Error | null, addresses: LookupAddress[]) => void) => void;

export type SafeFetchOptions = {
  maxBytes: number;
  /** Time limit for everything: resolving, redirects and the body. */
  timeoutMs: number;
  maxRedirects?: number;
  signal?: AbortSignal | undefined;
  /** Deps: tests pass their own resolver, allowed addresses and ports. */
  lookup?: Resolve;
  allowed?: (address: string) => boolean;
  ports?: readonly number[];
};

const WEB_PORTS = [80, 443] as const;

/**
 * Whether an address is global unicast: not private, loopback, link-local (metadata services), shared, multicast,
 * reserved or tunnelled.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  // Looks public, and answers with the platform's own services within one cloud.
  if (parsed.toString() === "168.63.129.16") return false;
  return parsed.range() === "unicast";
}

/**
 * The bytes of a public http(s) URL. The address is checked after the name is resolved, on every redirect too, and the
 * connection goes to exactly that address. So a name that resolves differently the next time cannot get around the
 * check.
 *
 * @throws FetchRefused for anything but a 200 within the limits.
 */
export async function safeFetch(url: string, options: SafeFetchOptions): Promise<Uint8Array> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  const agent = new Agent({
    connect: { lookup: pinnedLookup(options), timeout: options.timeoutMs },
    pipelining: 0,
    maxResponseSize: options.maxBytes + 1,
  });
  try {
    let target = parse(url, options);
    for (let hop = 0; hop <= (options.maxRedirects ?? 3); hop++) {
      const answer = await request(target, {
        dispatcher: agent,
        signal,
        headers: { accept: "image/*", "accept-encoding": "identity", "user-agent": "sluice" },
      });
      // A body that is not read to its end emits an error when it is dropped. Without a listener, that error would end
      // the process.
      answer.body.on("error", () => {});
      if (answer.statusCode >= 300 && answer.statusCode < 400) {
        await answer.body.dump({ limit: 16_384 });
        const location = answer.headers.location;
        if (typeof location !== "string") throw new FetchRefused("a redirect without a place");
        target = parse(new URL(location, target).href, options);
        continue;
      }
      if (answer.statusCode !== 200) {
        answer.body.destroy();
        throw new FetchRefused(`the URL answers ${answer.statusCode}`);
      }
      return await collect(answer.body, options.maxBytes);
    }
    throw new FetchRefused("too many redirects");
  } catch (error) {
    throw explain(error, deadline);
  } finally {
    // Not close(), which would wait for a server that never ends its response.
    void agent.destroy();
  }
}

function parse(text: string, options: SafeFetchOptions): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new FetchRefused("not an http(s) URL");
  if (url.username !== "" || url.password !== "") throw new FetchRefused("a URL with credentials");
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  if (!(options.ports ?? WEB_PORTS).includes(port)) throw new FetchRefused(`port ${port} is not asked`);
  // A literal address is never resolved, so the lookup below would not check it.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0 && !(options.allowed ?? isPublicAddress)(host))
    throw new FetchRefused("the address is not public");
  return url;
}

/**
 * Resolves a name once and uses its first address. Refuses the name when any of its addresses is not allowed: a mixture
 * is a sign of an attack.
 */
function pinnedLookup(options: SafeFetchOptions): LookupFunction {
  const resolve: Resolve = options.lookup ?? ((host, done) => systemLookup(host, { all: true, verbatim: true }, done));
  return (host, lookupOptions, callback) =>
    resolve(host, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) callback(new FetchRefused("the name does not resolve"), "", 0);
      else if (!addresses.every(({ address }) => (options.allowed ?? isPublicAddress)(address)))
        callback(new FetchRefused("the address is not public"), "", 0);
      else if (lookupOptions.all === true)
        (callback as unknown as (error: null, all: LookupAddress[]) => void)(null, [first]);
      else callback(null, first.address, first.family);
    });
}

async function collect(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new FetchRefused(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  // A copy outside the pool of small buffers, because it may be transferred to another thread.
  return new Uint8Array(Buffer.concat(chunks));
}

/** Reduces an error to what the client may know. */
function explain(error: unknown, deadline: AbortSignal): Error {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof FetchRefused) return cause;
  if (deadline.aborted) return new FetchRefused("it took too long");
  if ((error as { code?: string }).code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") return new FetchRefused("too many bytes");
  if ((error as Error).name === "AbortError") return error as Error;
  return new FetchRefused("the URL cannot be reached");
}
