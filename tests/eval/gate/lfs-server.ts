import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256 } from "./run.ts";

export type LfsFault = "none" | "busy-once" | "denied" | "other-bytes" | "cut" | "unknown" | "elsewhere" | "redirect";

/** A stand-in for a server of the LFS batch API: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
export type LfsServer = {
  url: string;
  objects: Map<string, Buffer>;
  fault: LfsFault;
  requests: { method: string; path: string; authorization: string | undefined; key: string | undefined }[];
  put(content: string | Uint8Array): void;
  close(): Promise<void>;
};

export async function startLfsServer(): Promise<LfsServer> {
  const state: Omit<LfsServer, "url" | "put" | "close"> = { objects: new Map(), fault: "none", requests: [] };
  let url = "";
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
      });
      const fault = state.fault;
      if (fault === "busy-once") {
        state.fault = "none";
        return void response.writeHead(503, { "retry-after": "3" }).end();
      }
      if (fault === "denied") return void response.writeHead(403).end();
      if (fault === "redirect") return void response.writeHead(307, { location: `${url}/other` }).end();
      if (path.endsWith("/objects/batch")) {
        const { oid, size } = (JSON.parse(body) as { objects: { oid: string; size: number }[] }).objects[0]!;
        const object =
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
              };
        response.writeHead(200, { "content-type": "application/vnd.git-lfs+json" });
        return void response.end(JSON.stringify({ transfer: "basic", objects: [object] }));
      }
      const bytes = state.objects.get(path.split("/").at(-1)!) ?? Buffer.alloc(0);
      if (fault === "other-bytes") return void response.end(Buffer.alloc(bytes.length, "x"));
      if (fault === "cut") return void response.end(bytes.subarray(1));
      response.end(bytes);
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
