import { isIP } from "node:net";

/** Whether a URL's host is this machine: localhost, 127.0.0.0/8 or ::1, in brackets or not. A name is not looked up. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  return bare === "localhost" || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}
