import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { isRefusal, statusOf } from "../../github/api.ts";
import { createClient } from "../../github/client.ts";
import { proxyFetch } from "../../github/proxy.ts";
import { actorOf, parseRepository, repositoryOfRemote, runOf } from "../../github/runner.ts";

describe("what a failure was", () => {
  const client = (transport: typeof fetch) =>
    createClient({
      token: "t",
      apiUrl: "http://127.0.0.1:9",
      userAgent: "test",
      fetch: transport,
      log: () => {},
      limits: null,
    });
  const failure = (transport: typeof fetch) =>
    client(transport)
      .request("GET /")
      .then(
        () => null,
        (error: unknown) => error,
      );

  it("an answer has its status", async () => {
    const error = await failure(() => Promise.resolve(Response.json({ message: "no" }, { status: 404 })));
    expect([statusOf(error), isRefusal(error)]).toEqual([404, true]);
  });

  it("no answer has none, although Octokit calls it 500", async () => {
    const error = await failure(() => Promise.reject(new Error("reset")));
    expect(error).toMatchObject({ status: 500 });
    expect([statusOf(error), isRefusal(error)]).toEqual([null, false]);
  });

  it("a transport that throws refusals says their status itself", async () => {
    const error = await failure(() => Promise.reject(Object.assign(new Error("no"), { status: 422 })));
    expect([statusOf(error), isRefusal(error)]).toEqual([422, true]);
  });

  it("is logged without the token", async () => {
    const lines: string[] = [];
    const octokit = createClient({
      token: "s3cret",
      apiUrl: "http://127.0.0.1:9",
      userAgent: "test",
      fetch: () => Promise.resolve(Response.json({ message: "no" }, { status: 404 })),
      log: (line) => lines.push(line),
      logFailures: true,
      limits: null,
    });
    await octokit.request("GET /s3cret").catch(() => {});
    expect(lines.join("\n")).toContain("/***");
    expect(lines.join("\n")).not.toContain("s3cret");
  });
});

describe("a proxy", () => {
  it("is used for its server, and not for this machine", async () => {
    const asked: string[] = [];
    const proxy = createServer().on("connect", (request, socket) => {
      asked.push(request.url ?? "");
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const env = {
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NO_PROXY: "inside.example",
    };
    try {
      const send = proxyFetch(env, "https://api.example");
      await expect(send("https://api.example/")).rejects.toThrow("fetch failed");
      await expect(send("https://127.0.0.1:9/")).rejects.toThrow("fetch failed");
      expect(asked).toEqual(["api.example:443"]);
    } finally {
      proxy.close();
    }
    expect(proxyFetch({}, "https://api.example")).toBe(fetch);
    expect(proxyFetch({ ...env, NO_PROXY: "*" }, "https://api.example")).toBe(fetch);
    expect(proxyFetch(env, "http://api.example")).toBe(fetch);
  });
});

describe("the runner's variables", () => {
  it.each([
    ["https://github.com/octo/models.git", "octo", "models"],
    ["https://github.example/octo/models", "octo", "models"],
    ["git@github.com:octo/models.git\n", "octo", "models"],
    ["ssh://git@github.com/octo/models.git", "octo", "models"],
  ])("a remote %s", (url, owner, repo) => {
    expect(repositoryOfRemote(url)).toEqual({ owner, repo });
  });

  it("name the repository, the run and who started it", () => {
    expect(parseRepository("octo/models")).toEqual({ owner: "octo", repo: "models" });
    for (const none of [undefined, "", "octo", "/models", "octo/"]) expect(parseRepository(none)).toBeNull();
    const env = { GITHUB_SERVER_URL: "https://github.com", GITHUB_REPOSITORY: "octo/models", GITHUB_RUN_ID: "7" };
    expect(runOf(env)).toEqual({ id: "7", attempt: 1, url: "https://github.com/octo/models/actions/runs/7" });
    expect(runOf({ ...env, GITHUB_RUN_ID: "" })).toBeNull();
    expect(actorOf({ GITHUB_ACTOR: "ada" })).toBe("ada");
  });
});
