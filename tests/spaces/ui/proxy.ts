import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens on the way to the server, for paths that contain `path`. */
type Trouble = {
  path: string;
  /** This many requests pass first. */
  after?: number;
  /** Milliseconds before the request is passed on. */
  delayMs?: number;
  /** The connection is cut without an answer. */
  cut?: boolean;
  /** This many requests are answered by the proxy, with this status and these headers. */
  refuse?: { times: number; status: number; headers?: Record<string, string> };
};

export type Proxy = {
  url: string;
  trouble: (trouble: Trouble | null) => void;
  seen: string[];
  close: () => Promise<void>;
};

/** The network between the page and the server, with its problems. */
export async function openProxy(target: string): Promise<Proxy> {
  let trouble: Trouble | null = null;
  const seen: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "/";
    seen.push(`${incoming.method} ${path}`);
    let mine = trouble !== null && path.includes(trouble.path) ? trouble : null;
    if (mine?.after !== undefined && mine.after > 0) {
      mine.after--;
      mine = null;
    }
    if (mine?.cut === true) return void incoming.socket.destroy();
    if (mine?.refuse !== undefined && mine.refuse.times > 0) {
      mine.refuse.times--;
      incoming.resume();
      return void outgoing
        .writeHead(mine.refuse.status, { "content-type": "application/problem+json", ...mine.refuse.headers })
        .end(JSON.stringify({ title: "Not now", status: mine.refuse.status, detail: "from the proxy" }));
    }
    const wait = setTimeout(() => {
      const onward = request(
        new URL(path, target),
        { method: incoming.method, headers: incoming.headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      onward.on("error", () => outgoing.destroy());
      incoming.pipe(onward);
    }, mine?.delayMs ?? 0);
    outgoing.once("close", () => clearTimeout(wait));
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/`,
    seen,
    trouble(next) {
      trouble = next;
    },
    close: () =>
      new Promise((resolve) => {
        proxy.close(() => resolve());
        proxy.closeAllConnections();
      }),
  };
}
