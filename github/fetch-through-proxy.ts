import { EnvHttpProxyAgent, fetch as undiciFetch } from "undici";

/**
 * undici's fetch through a proxy. A file of its own with a static import: undici is CommonJS, and a bundle's `import()`
 * of such a package has no named exports.
 *
 * @param noProxy hosts that are reached directly, in NO_PROXY's form; this machine always is
 */
export function fetchThroughProxy(proxy: string, noProxy: string | null): typeof fetch {
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy: [...(noProxy === null ? [] : [noProxy]), "localhost", "127.0.0.1", "[::1]"].join(","),
  });
  const viaProxy = (url: string, init?: object) => undiciFetch(url, { ...init, dispatcher });
  return viaProxy as unknown as typeof fetch;
}
