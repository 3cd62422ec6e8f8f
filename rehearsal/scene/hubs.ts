import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { startHub, type HubOptions, type StandInHub } from "../hub/server.ts";

/** One Hub with several Spaces, for HF_ENDPOINT. Requests about a Space go to that Space's own stand-in. */
export type Hubs = {
  url: string;
  of: (space: string) => StandInHub;
  all: readonly StandInHub[];
  close: () => Promise<void>;
};

/** @param spaces NS/NAME of each */
export async function startHubs(spaces: readonly string[], options: Partial<HubOptions>): Promise<Hubs> {
  const all = await Promise.all(spaces.map((name) => startHub(name, options)));
  const of = (space: string) => {
    const found = all.find((hub) => hub.space.name === space);
    if (found === undefined) throw new Error(`this Hub has no Space ${space}; it has ${spaces.join(", ")}`);
    return found;
  };
  const server = createServer((request, response) => {
    void answer(all, request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    of,
    all,
    async close() {
      await Promise.all([
        ...all.map((hub) => hub.close()),
        new Promise<void>((resolve) => {
          server.closeAllConnections();
          server.close(() => {
            resolve();
          });
        }),
      ]);
    },
  };
}

async function answer(all: readonly StandInHub[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return;
  }
  const body = Buffer.concat(chunks);
  // The path says which Space a request is about. For a token exchange, the body does.
  const text = `${decodeURIComponent(request.url ?? "/")}/\n${request.url?.startsWith("/oauth/") === true ? decodeURIComponent(body.toString("utf8")) : ""}`;
  const hub =
    all.find(({ space }) => new RegExp(`spaces/${space.name}(?:\\.git)?(?![\\w.-])`).test(text)) ??
    (all[0] as StandInHub);
  const onwards = httpRequest(
    `${hub.url}${request.url ?? "/"}`,
    { method: request.method ?? "GET", headers: { ...request.headers, host: new URL(hub.url).host } },
    (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
    },
  );
  onwards.on("error", () => response.destroy());
  response.on("close", () => onwards.destroy());
  onwards.end(body);
}
