import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import {
  FetchRefused,
  isPublicAddress,
  safeFetch,
  type SafeFetchOptions,
} from "../../../spaces/server/http/safe-fetch.ts";

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server on the loopback, and the number of requests that it got. */
async function origin(listener: RequestListener): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    listener(request, response);
  });
  servers.push(server);
  await new Promise<void>((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  return { port: (server.address() as AddressInfo).port, asked: () => asked };
}

const limits: SafeFetchOptions = { maxBytes: 1000, timeoutMs: 5000 };
/** Only in tests: the loopback counts as public, under names that resolve to it. */
const reachable = (port: number, more: Partial<SafeFetchOptions> = {}): SafeFetchOptions => ({
  ...limits,
  ports: [port],
  allowed: (address) => address === "127.0.0.1",
  lookup: (_host, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
  ...more,
});
const refusal = (url: string, options: SafeFetchOptions) =>
  safeFetch(url, options).then(
    () => "fetched",
    (error: unknown) => (error instanceof FetchRefused ? error.message : `not a refusal: ${String(error)}`),
  );

describe("public addresses", () => {
  it.each(["93.184.216.34", "8.8.8.8", "2606:4700::1111"])("%s is one", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
  it.each([
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "100.100.100.200",
    "198.18.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:a00:1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001::1",
    "ff02::1",
    "2001:db8::1",
    "not an address",
    "",
  ])("%s is none", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe("what is refused before any connection", () => {
  it.each([
    ["http://127.0.0.1/", "the address is not public"],
    ["http://[::1]/", "the address is not public"],
    ["http://2130706433/", "the address is not public"],
    ["http://0x7f.1/", "the address is not public"],
    ["http://0177.0.0.1/", "the address is not public"],
    ["http://169.254.169.254/latest/meta-data", "the address is not public"],
    ["http://[::ffff:127.0.0.1]/", "the address is not public"],
    ["http://localhost/", "the address is not public"],
    ["file:///etc/passwd", "not an http(s) URL"],
    ["ftp://example.org/", "not an http(s) URL"],
    ["data:image/png;base64,AAAA", "not an http(s) URL"],
    ["no url", "not an http(s) URL"],
    ["http://user:secret@93.184.216.34/", "a URL with credentials"],
    ["http://user@93.184.216.34/", "a URL with credentials"],
    ["http://:secret@93.184.216.34/", "a URL with credentials"],
    ["http://93.184.216.34:22/", "port 22 is not asked"],
    ["https://93.184.216.34:6379/", "port 6379 is not asked"],
  ])("%s", async (url, why) => {
    expect(await refusal(url, limits)).toBe(why);
  });

  it("a name that resolves to a private address, alone or among public ones", async () => {
    const { port, asked } = await origin((_request, response) => {
      response.end("secret");
    });
    const resolving = (...addresses: string[]) => ({
      ...limits,
      ports: [port],
      lookup: (_host: string, done: (error: null, all: { address: string; family: number }[]) => void) =>
        done(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        ),
    });
    expect(await refusal(`http://inside.example:${port}/`, resolving("127.0.0.1"))).toBe("the address is not public");
    expect(await refusal(`http://mixed.example:${port}/`, resolving("93.184.216.34", "127.0.0.1"))).toBe(
      "the address is not public",
    );
    expect(await refusal(`http://nowhere.example:${port}/`, resolving())).toBe("the name does not resolve");
    expect(asked()).toBe(0);
  });
});

describe("what is fetched", () => {
  it("the bytes, over redirects that are public as well", async () => {
    const { port } = await origin((request, response) => {
      if (request.url === "/start") response.writeHead(302, { location: `http://other.example:${port}/end` }).end();
      else response.end(Buffer.from([1, 2, 3]));
    });
    expect([...(await safeFetch(`http://first.example:${port}/start`, reachable(port)))]).toEqual([1, 2, 3]);
  });

  it("connects to exactly the address that was checked, even if the name resolves differently later", async () => {
    const { port } = await origin((_request, response) => {
      response.end("ok");
    });
    let resolved = 0;
    const rebinding = reachable(port, {
      lookup: (_host, done) => {
        resolved++;
        done(null, [{ address: resolved === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }]);
      },
    });
    expect(Buffer.from(await safeFetch(`http://rebind.example:${port}/`, rebinding)).toString()).toBe("ok");
    expect(resolved).toBe(1);
  });

  it("not from a redirect to a private address, a file, another port, or in a loop", async () => {
    const inside = await origin((_request, response) => {
      response.end("secret");
    });
    const { port } = await origin((request, response) => {
      response.writeHead(302, { location: decodeURIComponent(request.url!.slice(1)) }).end();
    });
    const via = (target: string) =>
      refusal(`http://first.example:${port}/${encodeURIComponent(target)}`, reachable(port));
    expect(await via("http://10.0.0.1:80/")).toBe("port 80 is not asked");
    expect(await via(`http://10.0.0.1:${port}/`)).toBe("the address is not public");
    expect(await via(`http://127.0.0.2:${port}/`)).toBe("the address is not public");
    expect(await via("file:///etc/passwd")).toBe("not an http(s) URL");
    expect(await via(`http://first.example:${inside.port}/`)).toMatch(/^port \d+ is not asked$/);
    const loop = await origin((_request, response) => {
      response.writeHead(302, { location: "/again" }).end();
    });
    expect(await refusal(`http://loop.example:${loop.port}/`, reachable(loop.port))).toBe("too many redirects");
    expect([inside.asked(), loop.asked()]).toEqual([0, 4]);
  });

  it("not a redirect that names no place; the request says who asks and for what", async () => {
    const headers: (string | undefined)[] = [];
    const { port } = await origin((request, response) => {
      headers.push(request.headers["user-agent"], request.headers.accept, request.headers["accept-encoding"]);
      response.writeHead(302).end();
    });
    expect(await refusal(`http://first.example:${port}/`, reachable(port))).toBe("a redirect without a place");
    expect(headers).toEqual(["sluice", "image/*", "identity"]);
  });

  it("as many bytes as are allowed, and not one more", async () => {
    const { port } = await origin((request, response) => {
      response.end(Buffer.alloc(request.url === "/full" ? 1000 : 1001));
    });
    expect((await safeFetch(`http://a.example:${port}/full`, reachable(port))).length).toBe(1000);
    expect(await refusal(`http://a.example:${port}/over`, reachable(port))).toBe("more than 1000 bytes");
  });

  it("no further when the caller gives up, which is no refusal; nobody there is one", async () => {
    const { port } = await origin(() => {});
    const caller = new AbortController();
    const asked = safeFetch(`http://a.example:${port}/`, reachable(port, { signal: caller.signal }));
    caller.abort();
    const error = await asked.catch((one: unknown) => one);
    expect(error).toMatchObject({ name: "AbortError" });
    expect(error).not.toBeInstanceOf(FetchRefused);
    const closed = await origin(() => {});
    await new Promise((done) => {
      servers.at(-1)!.close(done);
    });
    expect(await refusal(`http://a.example:${closed.port}/`, reachable(closed.port))).toBe("the URL cannot be reached");
  });

  it("not beyond the limits of size and time, no errors, no zip bomb", async () => {
    const { port } = await origin((request, response) => {
      if (request.url === "/announced") response.writeHead(200, { "content-length": "5000" }).end(Buffer.alloc(5000));
      else if (request.url === "/endless") {
        const timer = setInterval(() => response.write(Buffer.alloc(400)), 5);
        response.on("close", () => clearInterval(timer));
      } else if (request.url === "/silent") response.writeHead(200).write("x");
      else if (request.url === "/zip") response.writeHead(200, { "content-encoding": "gzip" }).end(Buffer.alloc(100));
      else response.writeHead(404).end("no");
    });
    const ask = (path: string, more: Partial<SafeFetchOptions> = {}) =>
      refusal(`http://a.example:${port}${path}`, reachable(port, more));
    expect(await ask("/announced")).toMatch(/bytes/);
    expect(await ask("/endless")).toMatch(/bytes/);
    expect(await ask("/silent", { timeoutMs: 300 })).toBe("it took too long");
    expect(await ask("/missing")).toBe("the URL answers 404");
    expect((await safeFetch(`http://a.example:${port}/zip`, reachable(port))).length).toBe(100);
  });
});
