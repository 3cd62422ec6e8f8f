import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { root } from "../../spaces/server/harness.ts";
import { conclusions, jobOf, Stage } from "./stage.ts";

/**
 * .github/workflows/release.yml as it is. The repository's own scripts stand for a checkout of everything: they start
 * those of this working tree. `gh` writes down what it is asked for.
 */
vi.setConfig({ testTimeout: 300_000 });
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const tools = mkdtempSync(join(tmpdir(), "sluice-release-"));
let stage: Stage;
let sha = "";
const real = (path: string) => JSON.stringify(join(root, path));

beforeAll(async () => {
  mkdirSync(join(tools, "assets"));
  stage = await Stage.start({ environment: { GIT_CONFIG_GLOBAL: "/dev/null" } });
  // Beside the runner's own Node, which is on every step's PATH.
  const gh = join(stage.directory, "runner/externals/node24/bin/gh");
  writeFileSync(
    gh,
    `#!/bin/sh\necho "$@" >> "${tools}/gh.log"\nfor file in "$@"; do case "$file" in release/assets/*) cp "$file" "${tools}/assets/";; esac; done\n`,
  );
  chmodSync(gh, 0o755);
  stage.serverUrl = `file://${join(stage.directory, "repositories")}`;
  sha = stage.commit({
    ".github/workflows/release.yml": readFileSync(join(root, ".github/workflows/release.yml"), "utf8"),
    "package.json": JSON.stringify({ name: "small", version, scripts: { ci: "node -e 0" } }),
    "CHANGELOG.md": `# Changelog\n\n## [Unreleased]\n\n## [${version}] - 2026-11-30\n\n- The first one.\n\n## [0.0.1]\n\n- Older.\n`,
    "scripts/install.mjs": "",
    "scripts/with-node24.mjs": `import { spawnSync } from "node:child_process";
const [script, ...rest] = process.argv.slice(2);
const more = script.endsWith("tree.ts") ? ["--changelog", "CHANGELOG.md"] : [];
const at = { "scripts/release/tree.ts": ${real("scripts/release/tree.ts")}, "scripts/pack.ts": ${real("scripts/pack.ts")} }[script];
process.exit(spawnSync(${real("node_modules/node/bin/node")}, [at, ...rest, ...more], { stdio: "inherit" }).status);\n`,
  });
  stage.git("octo/models", "config", "receive.denyCurrentBranch", "ignore");
}, 120_000);
afterAll(async () => {
  await stage.close();
  rmSync(tools, { recursive: true, force: true });
});

const logs = (run: Parameters<typeof jobOf>[0]) => ["build", "publish"].map((job) => jobOf(run, job).log).join("\n");
const play = async (inputs: Record<string, string>) => {
  const [run] = await stage.dispatch(sha, "release.yml", inputs);
  await stage.executor.idle();
  return run!;
};

it("a dry run tags and publishes nothing", async () => {
  const run = await play({ "dry-run": "true" });
  expect(conclusions(run), jobOf(run, "build").log).toEqual({ build: "success", publish: "skipped" });
  expect(stage.git("octo/models", "tag")).toBe("");
});

it("tags a commit of the actions alone, and publishes what it attested", async () => {
  const run = await play({});
  expect(conclusions(run), logs(run)).toEqual({ build: "success", publish: "success" });
  const [full, major] = [`v${version}`, `v${version.split(".")[0]}`];
  expect(stage.git("octo/models", "tag").split("\n")).toEqual([major, full].toSorted());
  const commit = stage.git("octo/models", "rev-parse", `${full}^{commit}`);
  expect(stage.git("octo/models", "rev-parse", `${major}^{commit}`)).toBe(commit);
  expect(stage.git("octo/models", "rev-parse", `${full}^`)).toBe(sha);

  // What `uses: OWNER/REPO/actions/…@TAG` downloads.
  const files = stage.git("octo/models", "ls-tree", "-r", "--name-only", full).split("\n");
  for (const one of ["gate", "gate/changed", "gate/report", "deploy", "notify", "watch"])
    expect(files).toContain(`actions/${one}/action.yml`);
  expect(files.filter((path) => /\.ts$|^(tests|models|node_modules)\//.test(path))).toEqual([]);
  const main = (
    parse(stage.git("octo/models", "show", `${full}:actions/gate/action.yml`)) as { runs: { main: string } }
  ).runs.main;
  expect(files).toContain(`actions/gate/${main}`);
  const archive = execFileSync("git", ["archive", "--format=tar.gz", full], {
    cwd: join(stage.directory, "repositories/octo/models"),
    maxBuffer: 1 << 26,
  });
  expect(archive.length).toBeLessThanOrEqual(5 * 1024 * 1024);

  // The release: assets, their digests, and the notes of this version alone.
  const asked = readFileSync(join(tools, "gh.log"), "utf8");
  expect(asked).toContain(`release create ${full} --verify-tag`);
  const sums = readFileSync(join(tools, "assets/SHA256SUMS"), "utf8").trim().split("\n");
  expect(sums.map((line) => line.split(/ +/)[1])).toEqual([
    expect.stringMatching(/^onnxruntime-[\d.]+-linux-x64\.tgz$/),
    `sluice-${version}.tgz`,
  ]);
  for (const line of sums) {
    const [digest, name] = line.split(/ +/) as [string, string];
    expect(
      createHash("sha256")
        .update(readFileSync(join(tools, "assets", name)))
        .digest("hex"),
    ).toBe(digest);
    expect(jobOf(run, "publish").log).toContain(`attested release/assets/${name} sha256:${digest}`);
  }
  const own = execFileSync("tar", ["xzOf", join(tools, `assets/sluice-${version}.tgz`), "package/package.json"], {
    encoding: "utf8",
  });
  expect(JSON.parse(own)).toMatchObject({ name: "@octo/sluice", sluice: { repository: "octo/models", commit } });
});

it("refuses a version that is released already", async () => {
  const run = await play({});
  expect(conclusions(run)).toEqual({ build: "failure", publish: "skipped" });
  expect(jobOf(run, "build").log).toContain(`v${version} is released already`);
});
