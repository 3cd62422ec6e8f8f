import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { defaultCacheDir } from "../../../models/core/artifact/cache-dir.ts";
import { linearManifest, teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { folderWith } from "../dataset/build.ts";
import { gate } from "./run.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

/** The cache that an earlier version kept in the checkout, with a weak model in the place of the baseline. */
function plantBaseline(cache: string): void {
  const base = team.git("rev-parse", "main").trim();
  const folder = `${cache}/baselines/${base}/models+linear`;
  team.write(`${folder}/model.yaml`, stringify(linearManifest({ version: "1.0.0", offset: 1.5 })));
  team.write(`${folder}/linear.onnx`, readFileSync(join(team.dir, "models/linear/linear.onnx")));
}

describe("a cache that a commit brings", () => {
  beforeEach(() => {
    team.git("checkout", "-qb", "topic");
    team.model({ offset: 1.5 });
  });

  it("is not looked at without a setting", async () => {
    plantBaseline(".cache/sluice");
    const { verdict } = await gate(team);
    expect(verdict.verdict).toBe("FAIL");
  });

  it.each([
    ["an absolute path", () => join(team.dir, ".cache/sluice")],
    [
      "a symbolic link to it",
      () => {
        const outside = folderWith({});
        symlinkSync(join(team.dir, ".cache"), join(outside, "link"));
        return join(outside, "link/sluice");
      },
    ],
  ])("is not used when SLUICE_CACHE names it: %s", async (_, pathOf) => {
    plantBaseline(".cache/sluice");
    const { verdict, notes } = await gate(team, {}, { env: { SLUICE_CACHE: pathOf() } });
    expect(verdict.verdict).toBe("FAIL");
    expect(notes).toContainEqual(expect.stringMatching(/^the cache folder .* is not used: it lies in the repository/));
    expect(existsSync(join(team.dir, ".cache/sluice/predictions"))).toBe(false);
  });

  it("gives no predictions, forged or not, and gets none", async () => {
    const mine = join(folderWith({}), "cache");
    await gate(team, {}, { env: { SLUICE_CACHE: mine } });
    cpSync(mine, join(team.dir, "c"), { recursive: true });
    // A chunk is believed by its own digest, so a forger can write any answers into it.
    const [key] = readdirSync(join(team.dir, "c/predictions"));
    const folder = join(team.dir, "c/predictions", key as string);
    const [chunk] = readdirSync(folder);
    writeFileSync(join(folder, chunk as string), "forged");
    const { verdict, notes } = await gate(team, {}, { env: { SLUICE_CACHE: join(team.dir, "c") } });
    expect(verdict.verdict).toBe("FAIL");
    expect(notes.filter((note) => note.includes("computed again"))).toEqual([]);
    expect(readFileSync(join(folder, chunk as string), "utf8")).toBe("forged");
  });
});

describe("a cache outside the repository", () => {
  it("is this user's alone, and used again", async () => {
    const cache = join(folderWith({}), "cache");
    await gate(team, {}, { env: { SLUICE_CACHE: cache } });
    const { notes } = await gate(team, {}, { env: { SLUICE_CACHE: cache } });
    expect(notes).toEqual([]);
    expect(readdirSync(cache)).toEqual(["predictions"]);
  });

  it.each(["", "predictions"])("that others may write is not used: /%s", async (folder) => {
    const cache = join(folderWith({}), "cache");
    mkdirSync(join(cache, "predictions"), { recursive: true });
    chmodSync(cache, 0o700);
    chmodSync(join(cache, folder), 0o777);
    const { verdict, notes } = await gate(team, {}, { env: { SLUICE_CACHE: cache } });
    expect(verdict.verdict).toBe("PASS");
    expect(notes).toContainEqual(expect.stringContaining("others may write"));
    expect(readdirSync(join(cache, "predictions"))).toEqual([]);
  });
});

it("a cache below a folder where others may replace it is not used", async () => {
  const above = folderWith({});
  chmodSync(above, 0o777);
  const { notes } = await gate(team, {}, { env: { SLUICE_CACHE: join(above, "cache") } });
  expect(notes).toContainEqual(expect.stringContaining("others may replace it"));
  expect(readdirSync(join(above, "cache"))).toEqual([]);
});

describe("the place of the cache", () => {
  it.each<[string, NodeJS.ProcessEnv, NodeJS.Platform, string]>([
    ["SLUICE_CACHE", { SLUICE_CACHE: "/c", GITHUB_ACTIONS: "true", RUNNER_TEMP: "/t" }, "linux", "/c"],
    ["a relative SLUICE_CACHE", { SLUICE_CACHE: "c" }, "linux", join(process.cwd(), "c")],
    [
      "a job's temporary folder",
      { GITHUB_ACTIONS: "true", RUNNER_TEMP: "/t", XDG_CACHE_HOME: "/x" },
      "linux",
      "/t/sluice-cache",
    ],
    ["XDG_CACHE_HOME", { XDG_CACHE_HOME: "/x", HOME: "/h" }, "linux", "/x/sluice"],
    ["not a relative XDG_CACHE_HOME", { XDG_CACHE_HOME: "x", HOME: "/h" }, "linux", "/h/.cache/sluice"],
    ["the user's caches on Linux", { HOME: "/h" }, "linux", "/h/.cache/sluice"],
    ["the user's caches on macOS", { HOME: "/h" }, "darwin", "/h/Library/Caches/sluice"],
    ["the user's caches on Windows", { LOCALAPPDATA: "/l" }, "win32", "/l/sluice/Cache"],
  ])("is %s", (_, env, platform, path) => {
    expect(defaultCacheDir(env, platform)).toBe(path);
  });
});

it("node_modules of the checkout give no data", async () => {
  const fake = "test/rows.jsonl";
  team.write("node_modules/rows/package.json", JSON.stringify({ name: "rows", version: "1.0.0" }));
  writeFileSync(join(team.dir, "node_modules/rows/rows.jsonl"), "{}\n");
  team.model({
    dataset: {
      ...linearManifest().dataset!,
      files: [{ path: fake, npm: "rows@1.0.0", integrity: `sha512-${"A".repeat(86)}==` }],
    },
  });
  const { verdict } = await gate(team, {}, { env: { npm_config_cache: folderWith({}) } });
  expect(verdict).toMatchObject({ verdict: "ERROR", models: [{ reason: expect.stringContaining("rows@1.0.0") }] });
});
