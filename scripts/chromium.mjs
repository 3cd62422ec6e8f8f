// The tests of the page need a real browser. Debian's is installed where it is missing and the machine lets us.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Installs Chromium where there is none and apt-get may be used; says in one line when it cannot. Never fails. */
export function chromiumIfMissing() {
  if (existsSync("/usr/bin/chromium") || process.env.SLUICE_CHROMIUM) return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    console.error("Chromium is not installed; the tests of the page will be skipped. Debian: apt-get install chromium. Elsewhere: SLUICE_CHROMIUM=PATH.");
    return;
  }
  console.error("Installing Chromium (apt-get) for the tests of the page …");
  const apt = (...args) => spawnSync("apt-get", ["-qq", "-o", "Acquire::Retries=2", ...args], { stdio: "ignore", timeout: 300_000, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } }).status === 0;
  const install = () => apt("install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core");
  if (!install()) {
    apt("update");
    install();
  }
  if (!existsSync("/usr/bin/chromium")) console.error("Chromium could not be installed; the tests of the page will be skipped.");
}
