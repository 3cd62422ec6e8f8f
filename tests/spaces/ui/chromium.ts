import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

/** Debian's path, then other distributions' and CI images'. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of the installed Chromium, or the one that SLUICE_CHROMIUM names. Undefined when there is none. */
export const chromiumPath: string | undefined = [process.env["SLUICE_CHROMIUM"] ?? "", ...PLACES].find(
  (path) => path !== "" && existsSync(path),
);

/** A headless browser without network requests of its own. The caller closes it. */
export function openBrowser(...more: readonly string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
      ...more,
    ],
    timeout: 30_000,
  });
}
