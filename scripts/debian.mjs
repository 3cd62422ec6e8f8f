// Programs that the tests and measurements need and npm cannot install. Missing ones are installed as Debian packages if the machine
// allows it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const onPath = (program) => (process.env.PATH ?? "").split(":").some((dir) => existsSync(`${dir}/${program}`));
const imports = (modules) =>
  ["python3", "/usr/bin/python3"].some(
    (python) => spawnSync(python, ["-c", `import ${modules}`], { stdio: "ignore" }).status === 0,
  );

const needed = [
  {
    name: "Chromium",
    packages: ["chromium", "fonts-dejavu-core"],
    without: "the tests of the page will be skipped (elsewhere: SLUICE_CHROMIUM=PATH)",
    isThere: () =>
      process.env.SLUICE_CHROMIUM !== undefined ||
      ["chromium", "chromium-browser", "google-chrome"].some((name) => existsSync(`/usr/bin/${name}`)),
  },
  // Steps of the workflows call these. GitHub's own runners have them.
  {
    name: "jq",
    packages: ["jq"],
    without: "the rehearsal's workflows will fail",
    isThere: () => onPath("jq"),
  },
  {
    name: "curl",
    packages: ["curl", "ca-certificates"],
    without: "the rehearsal's workflows will fail",
    isThere: () => onPath("curl"),
  },
  { name: "git", packages: ["git"], without: "most tests will fail", isThere: () => onPath("git") },
  {
    name: "Python",
    packages: ["python3"],
    without: "what is checked against a definition in another language will be skipped",
    isThere: () => existsSync("/usr/bin/python3"),
  },
  // About 300 MB, for one slow test that follows docs/models.md from training to verdict.
  {
    name: "Python with onnx and scikit-learn",
    packages: ["python3-onnx", "python3-sklearn"],
    without: "the training script of docs/models.md will not be tried",
    isThere: () => imports("onnx, sklearn"),
    onlyFor: "test:slow",
  },
  {
    name: "faad",
    packages: ["faad"],
    without: "AAC (M4A, MP4) will not be decoded in tests",
    isThere: () => onPath("faad"),
  },
  {
    name: "Redis",
    packages: ["redis-server"],
    without: "features in Redis will not be tried",
    isThere: () => onPath("redis-server"),
    onlyFor: "test:slow",
  },
  {
    name: "promtool",
    packages: ["prometheus"],
    without: "the rules of `sluice export prometheus` will not be played",
    isThere: () => onPath("promtool"),
    onlyFor: "test:slow",
  },
  {
    name: "Python with pandas and scikit-learn",
    packages: ["python3-pandas", "python3-sklearn"],
    without: "there is nothing to measure reading against",
    isThere: () => imports("pandas, sklearn"),
    onlyFor: "bench:reading",
  },
];

/**
 * Installs missing programs if apt-get may be used (as root, or in CI with password-less sudo), and prints one line
 * about those that it could not install. Never fails.
 * @param {"test" | "test:slow" | "bench:reading"} purpose
 */
export function debianIfMissing(purpose) {
  const wanted = needed.filter(({ onlyFor }) => onlyFor === undefined || onlyFor === purpose);
  const missing = wanted.filter((one) => !one.isThere());
  const packages = missing.flatMap((one) => one.packages);
  if (packages.length === 0) return;
  const apt = aptCommand();
  if (apt !== null) {
    console.error(`Installing ${packages.join(", ")} (apt-get) …`);
    const run = (...args) =>
      spawnSync(apt[0], [...apt.slice(1), "-qq", "-o", "Acquire::Retries=2", ...args], {
        stdio: "ignore",
        timeout: 300_000,
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      }).status === 0;
    const install = () => run("install", "-y", "--no-install-recommends", ...packages);
    if (!install()) {
      run("update");
      install();
    }
  }
  for (const { name, packages: of, without } of missing.filter((one) => !one.isThere()))
    console.error(`${name} is not installed: ${without}. Debian: apt-get install ${of.join(" ")}`);
}

/** @returns {string[] | null} */
function aptCommand() {
  if (!existsSync("/usr/bin/apt-get")) return null;
  if (process.getuid?.() === 0) return ["apt-get"];
  const mayUseSudo = process.env.CI === "true" && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0;
  return mayUseSudo ? ["sudo", "-n", "apt-get"] : null;
}
