import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { answerUnder, faultFor, type FaultRule } from "./faults.ts";
import type { Space } from "./space.ts";

export type ProxyExchange = { method: string; path: string; authorization: string | null; status: number | null };

/** Serves NAME.hf.space: the live revision's answers, or the Hub's own 503 page if there is none. */
export async function startProxy(
  space: Space,
  faults: FaultRule[],
  seen: (exchange: ProxyExchange) => void,
): Promise<{ server: Server; domain: string }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      void (async () => {
        const method = request.method ?? "GET";
        const path = request.url ?? "/";
        const exchange: ProxyExchange = {
          method,
          path,
          authorization: request.headers.authorization ?? null,
          status: null,
        };
        seen(exchange);
        const answer = await answerUnder(faultFor(faults, method, path), request, response, async () => {
          const live = space.replicaFor(request.socket);
          if (live === null)
            return {
              status: 503,
              headers: { "content-type": "text/html" },
              body: Buffer.from("<h1>Your space is in error, check its status on hf.co</h1>"),
            };
          const deployment = space.deployed(live.sha);
          const delay = space.behaviour.delayMs?.(path, deployment) ?? 0;
          if (delay > 0) await new Promise((done) => setTimeout(done, delay));
          try {
            const { status, headers, body } = await forward(
              live.port,
              method,
              path,
              request.headers,
              Buffer.concat(chunks),
            );
            return {
              status,
              headers,
              body: space.behaviour.answers?.(path, deployment, body) ?? body,
            };
          } catch {
            return { status: 502, headers: { "content-type": "text/html" }, body: Buffer.from("<h1>Bad gateway</h1>") };
          }
        });
        exchange.status = answer?.status ?? null;
      })();
    });
  });
  await new Promise<void>((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  return { server, domain: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function forward(
  port: number,
  method: string,
  path: string,
  headers: Record<string, unknown>,
  body: Buffer,
): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const kept = Object.fromEntries(
      Object.entries(headers).filter(
        ([name, value]) =>
          typeof value === "string" && (/^(accept|content-type)$/.test(name) || /^x-(?!forwarded)/.test(name)),
      ),
    );
    const request = httpRequest(
      { host: "127.0.0.1", port, method, path, headers: { ...kept, "content-length": body.length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          resolve({
            status: response.statusCode ?? 502,
            headers: {
              "content-type": response.headers["content-type"] ?? "application/octet-stream",
              ...passedOn(response.headers),
            },
            body: Buffer.concat(chunks),
          });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** The app's own headers, which the Hub's proxy passes on. */
function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (one): one is [string, string] => typeof one[1] === "string" && /^(x-|retry-after$)/.test(one[0]),
    ),
  );
}
