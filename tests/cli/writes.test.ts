import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { folderWith } from "../eval/dataset/build.ts";
import { teamRepository, type TeamRepository } from "./repository.ts";
import { sluice } from "./sluice.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

/** Every file below a folder, except git's own. */
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join(team.dir, ".git")))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

it("a gate writes into --out and its cache, and nowhere else: not the home folder, the temporary one, or the checkout", async () => {
  const place = folderWith({});
  const [home, temporary, out] = ["home", "temporary", "out"].map((name) => {
    mkdirSync(join(place, name));
    return join(place, name);
  }) as [string, string, string];
  const before = filesIn(team.dir);
  const run = await sluice(team.dir, ["gate", "--out", out], {
    HOME: home,
    TMPDIR: temporary,
    XDG_CACHE_HOME: "",
    SLUICE_CACHE: "",
    GITHUB_ACTIONS: "",
    ORT_DISABLE_TELEMETRY: "",
  });
  expect(run.code, run.stderr).toBe(0);
  expect(filesIn(home).filter((path) => !path.startsWith(".cache/sluice/"))).toEqual([]);
  expect(filesIn(join(home, ".cache/sluice"))).not.toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
  expect(filesIn(team.dir)).toEqual(before);
  expect(readdirSync(out).toSorted()).toEqual([
    "metrics.json",
    "predictions",
    "profiles",
    "report.html",
    "report.md",
    "verdict.json",
  ]);
});
