/**
 * fetch through the proxy that HTTPS_PROXY (or HTTP_PROXY for an http address) names. Plain fetch if no proxy is set,
 * if NO_PROXY names the server, or if the server is this machine. Node's own fetch ignores proxies unless Node was
 * started with a flag.
 */
export function proxyFetch(env: NodeJS.ProcessEnv, serverUrl: string): typeof fetch {
  const variable = (name: string) => env[name.toLowerCase()] || env[name] || null;
  const proxy = variable(new URL(serverUrl).protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  const noProxy = variable("NO_PROXY");
  if (proxy === null || noProxy?.trim() === "*") return fetch;
  let connected: Promise<typeof fetch> | undefined;
  return async (url, init) => (await (connected ??= throughProxy(proxy, noProxy)))(url, init);
}

/** undici is large and few machines have a proxy, so it is loaded only when there is one. */
async function throughProxy(proxy: string, noProxy: string | null): Promise<typeof fetch> {
  const { fetchThroughProxy } = await import("./fetch-through-proxy.ts");
  return fetchThroughProxy(proxy, noProxy);
}
