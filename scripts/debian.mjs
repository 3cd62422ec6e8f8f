// Programs that the tests need and npm cannot bring. Debian's packages are installed where something is missing and the
// machine lets us.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const needed = [
  {
    program: "chromium",
    packages: ["chromium", "fonts-dejavu-core"],
    without: "the tests of the page will be skipped (elsewhere: SLUICE_CHROMIUM=PATH)",
    there: () => process.env.SLUICE_CHROMIUM !== undefined,
  },
  // As on GitHub's own runners: steps of the workflows call them.
  { program: "jq", packages: ["jq"], without: "the rehearsal's workflows will fail" },
  { program: "curl", packages: ["curl", "ca-certificates"], without: "the rehearsal's workflows will fail" },
  { program: "git", packages: ["git"], without: "most tests will fail" },
];
const missing = () =>
  needed.filter(
    ({ program, there }) =>
      !there?.() && !(process.env.PATH ?? "").split(":").some((dir) => existsSync(`${dir}/${program}`)),
  );

/** Installs what is missing where apt-get may be used; says in one line what it could not. Never fails. */
export function debianIfMissing() {
  const packages = missing().flatMap((one) => one.packages);
  if (packages.length === 0) return;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    console.error(`Installing ${packages.join(", ")} (apt-get) for the tests …`);
    const apt = (...args) =>
      spawnSync("apt-get", ["-qq", "-o", "Acquire::Retries=2", ...args], {
        stdio: "ignore",
        timeout: 300_000,
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      }).status === 0;
    const install = () => apt("install", "-y", "--no-install-recommends", ...packages);
    if (!install()) {
      apt("update");
      install();
    }
  }
  for (const { program, packages: of, without } of missing())
    console.error(`${program} is not installed: ${without}. Debian: apt-get install ${of.join(" ")}`);
}
