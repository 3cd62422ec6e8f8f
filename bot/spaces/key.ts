import { isLoopback } from "../../models/core/loopback.ts";

/** Headers with the key of Spaces; none where it would travel unencrypted. */
export function spaceHeaders(origin: string, key: string | null): Record<string, string> {
  const { protocol, hostname } = new URL(origin);
  return key !== null && (protocol === "https:" || isLoopback(hostname)) ? { authorization: `Bearer ${key}` } : {};
}
