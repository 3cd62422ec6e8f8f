import { LRUCache } from "lru-cache";

type Kept = { etag: string; status: number; headers: [string, string][]; body: string };

/** Characters of bodies that are kept for all addresses together, and of one that is kept at all. */
const maxCharacters = 16 * 1024 * 1024;
const maxBodyCharacters = 1024 * 1024;

/**
 * A fetch that asks "has it changed?" where it can: the last JSON answer of each GET is kept with its ETag, and where
 * GitHub says 304 it is given again. A 304 does not count against GitHub's hourly limit of requests
 * (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
 */
export function conditionalFetch(transport: typeof fetch): typeof fetch {
  const kept = new LRUCache<string, Kept>({ maxSize: maxCharacters, sizeCalculation: ({ body }) => body.length + 1 });
  return async (url, init) => {
    if ((init?.method ?? "GET") !== "GET" || url instanceof Request) return transport(url, init);
    const headers = new Headers(init?.headers);
    // Other people and other forms of an answer have other ETags.
    const key = [String(url), headers.get("authorization"), headers.get("accept")].join("\n");
    const known = kept.get(key);
    if (known !== undefined) headers.set("if-none-match", known.etag);
    const answer = await transport(url, { ...init, headers: Object.fromEntries(headers) });
    if (answer.status === 304 && known !== undefined) {
      await answer.body?.cancel();
      return new Response(known.body, { status: known.status, headers: known.headers });
    }
    const etag = answer.headers.get("etag");
    const isJson = answer.headers.get("content-type")?.includes("json") === true;
    if (answer.status !== 200 || etag === null || !isJson) return answer;
    const body = await answer.text();
    // The transport has undone the compression that these two describe.
    const described = [...answer.headers].filter(([name]) => !["content-encoding", "content-length"].includes(name));
    if (body.length <= maxBodyCharacters) kept.set(key, { etag, status: answer.status, headers: described, body });
    return new Response(body, { status: answer.status, headers: described });
  };
}
