import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256 } from "./run.ts";

export type LfsFault =
  | "none"
  | "busy-once"
  | "denied"
  | "other-bytes"
  | "cut"
  | "cut-once"
  | "unknown"
  | "elsewhere"
  | "redirect";

/** A stand-in for a server of the LFS batch API: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
export type LfsServer = {
  url: string;
  objects: Map<string, Buffer>;
  fault: LfsFault;
  /** A batch request for more objects is refused. */
  maxObjects: number;
  requests: {
    method: string;
    path: string;
    authorization: string | undefined;
    key: string | undefined;
    range: string | undefined;
  }[];
  /** A file is given once so many are asked for. */
  together: number;
  /** The most files that were on their way at a time. */
  maxAtOnce: number;
  put(content: string | Uint8Array): void;
  close(): Promise<void>;
};

export async function startLfsServer(): Promise<LfsServer> {
  const state: Omit<LfsServer, "url" | "put" | "close"> = {
    objects: new Map(),
    fault: "none",
    maxObjects: 100,
    requests: [],
    together: 1,
    maxAtOnce: 0,
  };
  let url = "";
  const waiting: (() => void)[] = [];
  let now = 0;
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const path = request.url ?? "";
      state.requests.push({
        method: request.method ?? "",
        path,
        authorization: request.headers.authorization,
        key: request.headers["x-key"] as string | undefined,
        range: request.headers.range,
      });
      const fault = state.fault;
      if (fault === "busy-once") {
        state.fault = "none";
        return void response.writeHead(503, { "retry-after": "3" }).end();
      }
      if (fault === "denied") return void response.writeHead(403).end();
      if (fault === "redirect") return void response.writeHead(307, { location: `${url}/other` }).end();
      if (path.endsWith("/objects/batch")) {
        const { objects } = JSON.parse(body) as { objects: { oid: string; size: number }[] };
        if (objects.length > state.maxObjects) return void response.writeHead(413).end();
        const answered = objects.map(({ oid, size }) =>
          fault === "unknown" || !state.objects.has(oid)
            ? { oid, size, error: { code: 404, message: "Object does not exist" } }
            : {
                oid,
                size,
                actions: {
                  download: {
                    href: fault === "elsewhere" ? `http://192.0.2.1/${oid}` : `${url}/store/${oid}`,
                    header: { "x-key": "of-the-store" },
                  },
                },
              },
        );
        response.writeHead(200, { "content-type": "application/vnd.git-lfs+json" });
        return void response.end(JSON.stringify({ transfer: "basic", objects: answered }));
      }
      const bytes = state.objects.get(path.split("/").at(-1)!) ?? Buffer.alloc(0);
      if (fault === "other-bytes") return void response.end(Buffer.alloc(bytes.length, "x"));
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
      if (fault === "cut" || (fault === "cut-once" && from === 0)) return void response.end(bytes.subarray(0, 4));
      if (from > 0) response.writeHead(206, { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
      state.maxAtOnce = Math.max(state.maxAtOnce, ++now);
      response.on("close", () => (now -= 1));
      waiting.push(() => response.end(bytes.subarray(from)));
      if (waiting.length >= state.together) for (const give of waiting.splice(0)) give();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    url,
    put: (content: string | Uint8Array) => void state.objects.set(sha256(content), Buffer.from(content)),
    close: () =>
      new Promise<void>((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  });
}
