import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";

export type ResponseCache = {
  enabled: boolean;
  /** The key for an input and the content of the model that would answer it. */
  key(digest: string, input: unknown): string;
  get(key: string): string | undefined;
  set(key: string, answer: string): void;
  state(): { entries: number; bytes: number };
};

/** Memory of an entry besides its text. */
const OVERHEAD_BYTES = 200;

/**
 * Cache of answers to identical inputs of the same model content. It evicts the least recently used answers to stay
 * within `maxBytes`; 0 turns it off.
 */
export function createResponseCache(maxBytes: number): ResponseCache {
  if (maxBytes === 0)
    return {
      enabled: false,
      key: () => "",
      get: () => undefined,
      set: () => {},
      state: () => ({ entries: 0, bytes: 0 }),
    };
  const cache = new LRUCache<string, string>({
    maxSize: maxBytes,
    sizeCalculation: (answer) => 2 * answer.length + OVERHEAD_BYTES,
  });
  return {
    enabled: true,
    key: (digest, input) =>
      createHash("sha256").update(digest).update("\0").update(JSON.stringify(input)).digest("base64"),
    get: (key) => cache.get(key),
    set: (key, answer) => {
      cache.set(key, answer);
    },
    state: () => ({ entries: cache.size, bytes: cache.calculatedSize }),
  };
}
