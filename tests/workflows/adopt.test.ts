import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { parse } from "yaml";
import { botConfiguration } from "../../bot/config/config.ts";
import { repositoryRoot } from "../actions/gate/runner.ts";
import { filesOf, filledIn } from "../../rehearsal/scene/snippets.ts";

const files = filesOf(readFileSync(join(repositoryRoot, "docs/adopt.md"), "utf8"));
const dir = mkdtempSync(join(tmpdir(), "sluice-adopt-"));
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

it("the page's files are the ones that its steps need", () => {
  expect([...files.keys()]).toEqual([
    "models/fares/train.py",
    "models/fares/model.yaml",
    "sluice.yaml",
    ".github/workflows/gate.yml",
    "ruleset.json",
    ".github/workflows/gate-comment.yml",
    "production.json",
    ".github/workflows/deploy.yml",
    "bot.yaml",
  ]);
  for (const name of ["ruleset.json", "production.json"])
    expect(() => {
      JSON.parse(files.get(name) as string);
    }).not.toThrow();
});

it("bot.yaml is what the bot reads", () => {
  const bot = botConfiguration.parse(parse(filledIn(files.get("bot.yaml") as string, { sluice: "o/s", sha: "0" })));
  expect(bot.models.map(({ id }) => id)).toEqual(["fares"]);
});

// The training script needs Python. Here a model with the same inputs and outputs replaces its result.
it("the first gate of the repository passes, as the page says", async () => {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  for (const [path, text] of files)
    write(path, filledIn(text, { sluice: "octo/sluice", sha: "0".repeat(40), namespace: "octo" }));
  const weights = join(repositoryRoot, "tests/fixtures/linear.onnx");
  const sha256 = createHash("sha256").update(readFileSync(weights)).digest("hex");
  const manifest = files.get("models/fares/model.yaml") as string;
  write("models/fares/model.yaml", manifest.replace(/sha256: "\w+"/, `sha256: "${sha256}"`));
  copyFileSync(weights, join(dir, "models/fares/model.onnx"));
  const rides = Array.from({ length: 600 }, (_, i) => {
    const [km, minutes, zones] = [i % 7, i % 11, 1 + (i % 3)];
    return `ride-${i},${km},${minutes},${zones},${km + 10 * minutes + 100 * zones + 0.5 + ((i * 37) % 101) / 50 - 1}`;
  });
  write("models/fares/data/rides.csv", `id,km,minutes,zones,fare\n${rides.join("\n")}\n`);

  const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(repositoryRoot, "scripts/sluice.mjs"), "gate", "--baseline", "none"],
      { cwd: dir, timeout: 110_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
      },
    );
  });
  expect(output).toContain("fares 1.0.0: all 2 deciding checks pass");
  expect(output).toContain("no baseline");
  expect(code).toBe(0);
}, 120_000);
