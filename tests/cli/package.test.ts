import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { list } from "tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const models = join(root, "tests/fixtures/init");
const maxBytes = 6 * 1024 * 1024;
const dir = mkdtempSync(join(tmpdir(), "sluice-package-"));
const project = join(dir, "project");
const file = join(
  dir,
  `sluice-${(JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version}.tgz`,
);
const exec = promisify(execFile);

type Done = { code: number; stdout: string; stderr: string };

async function run(
  program: string,
  args: readonly string[],
  cwd = project,
  env: NodeJS.ProcessEnv = {},
): Promise<Done> {
  try {
    const { stdout, stderr } = await exec(program, args, {
      cwd,
      env: { ...process.env, GITHUB_TOKEN: "", ...env },
      timeout: 240_000,
      maxBuffer: 1 << 26,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

/** The native runtime comes from npm's cache or registry, as for everybody; without either there is nothing to test. */
async function installed(): Promise<string | null> {
  const { code, stderr } = await run("npm", [
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--prefer-offline",
    "-D",
    file,
  ]);
  return code === 0 ? null : stderr;
}

describe("the packed command line", async () => {
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "private": true }\n');
  await exec(
    process.execPath,
    [join(root, "scripts/pack.ts"), "--out", dir, "--repository", "octo/sluice", "--commit", "a".repeat(40)],
    { cwd: root, timeout: 120_000 },
  );
  const why = await installed();
  const sluice = (...args: string[]) => run(join(project, "node_modules/.bin/sluice"), args);

  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it("is at most 6 MiB of bundled JavaScript under a scope, without sources, tests or install scripts", async () => {
    expect(statSync(file).size).toBeLessThanOrEqual(maxBytes);
    const names: string[] = [];
    await list({ file, onReadEntry: ({ path }) => void names.push(path) });
    expect(names).toContain("package/bin/sluice.mjs");
    expect(names.filter((name) => /\.ts$|\.node$|(^|\/)tests?\//.test(name))).toEqual([]);
  });

  describe.skipIf(why !== null)(
    `installed in an empty project${why === null ? "" : ` (npm cannot: ${why.slice(0, 200)})`}`,
    () => {
      beforeAll(async () => {
        await exec("git", ["init", "-q", "-b", "main"], { cwd: project });
        cpSync(models, join(project, "given"), { recursive: true });
      });

      it("needs one native package, and states the versions of Node", () => {
        const own = JSON.parse(readFileSync(join(project, "node_modules/@octo/sluice/package.json"), "utf8")) as Record<
          string,
          unknown
        >;
        expect(own["name"]).toBe("@octo/sluice");
        expect(Object.keys(own["dependencies"] as object)).toEqual(["onnxruntime-node"]);
        expect(Object.keys(own["optionalDependencies"] as object)).toEqual(["sharp"]);
        expect(own["engines"]).toEqual({ node: ">=22.13" });
        expect(own["scripts"]).toBeUndefined();
      });

      it("says which Node it needs on an older one", async () => {
        // The starter asks process.versions, which a preloaded line can make old.
        const old = join(dir, "old.mjs");
        writeFileSync(old, 'Object.defineProperty(process.versions, "node", { value: "20.19.0" });\n');
        const { code, stderr } = await run(process.execPath, [
          "--import",
          old,
          join(project, "node_modules/@octo/sluice/bin/sluice.mjs"),
          "--help",
        ]);
        expect(code).toBe(2);
        expect(stderr).toMatch(/^sluice needs Node 22\.13 or newer/);
      });

      it("names itself in hints by the file that npm linked", async () => {
        const help = await sluice("gate", "--help");
        expect(help.stdout).toContain("node_modules/.bin/sluice gate");
        expect(help.stdout).not.toContain("npx sluice");
      });

      it("init → gate → serve → predict → compare", async () => {
        const init = await sluice("init", "given/tumour_zipmap.onnx", "--data", "given/tumours.csv", "--yes");
        expect(init.code, init.stderr).toBe(0);
        expect(init.stdout).toMatch(/^PASS +tumour_zipmap 1\.0\.0/m);
        const workflow = readFileSync(join(project, ".github/workflows/gate.yml"), "utf8");
        expect(workflow).toContain(`uses: octo/sluice/.github/workflows/gate.yml@${"a".repeat(40)} # v`);

        const gate = await sluice("gate", "--baseline", "none", "--json");
        expect(gate.code, gate.stderr).toBe(0);
        expect(JSON.parse(gate.stdout)).toMatchObject({ verdict: "PASS" });
        expect(readFileSync(join(project, ".sluice/report.md"), "utf8")).toContain(
          "node_modules/.bin/sluice gate tumour_zipmap",
        );
        expect(existsSync(join(project, ".sluice/report.html"))).toBe(true);

        const server = spawn(join(project, "node_modules/.bin/sluice"), ["serve", "--port", "0"], {
          cwd: project,
          stdio: ["ignore", "ignore", "pipe"],
        });
        const address = await new Promise<string>((resolve, reject) => {
          let said = "";
          server.stderr.setEncoding("utf8").on("data", (text: string) => {
            said += text;
            const found = /at (http:\S+)/.exec(said)?.[1];
            if (found !== undefined) resolve(found);
          });
          server.once("close", () => reject(new Error(said)));
        });
        try {
          await expect
            .poll(async () => (await fetch(`${address}/readyz`)).status, { timeout: 30_000, interval: 100 })
            .toBe(200);
          const row = {
            radius: 20.57,
            texture: 17.77,
            perimeter: 132.9,
            area: 1326,
            smoothness: 0.08474,
            compactness: 0.07864,
          };
          const answer = await fetch(`${address}/predict`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(row),
            signal: AbortSignal.timeout(20_000),
          });
          expect(answer.status).toBe(200);
          const page = await fetch(`${address}/`, {
            headers: { accept: "text/html" },
            signal: AbortSignal.timeout(20_000),
          });
          expect(await page.text()).toContain("<html");
        } finally {
          server.removeAllListeners("close");
          const closed = once(server, "close");
          server.kill("SIGTERM");
          await closed;
        }

        const predict = await sluice(
          "predict",
          "tumour_zipmap",
          "--input",
          "given/tumours.csv",
          "--url",
          "local",
          "--output",
          "answers.csv",
        );
        expect(predict.code, predict.stderr).toBe(0);
        expect(readFileSync(join(project, "answers.csv"), "utf8").trim().split("\n")).toHaveLength(285);

        const predictions = ".sluice/predictions/tumour_zipmap/diagnosis.candidate.csv";
        const compare = await sluice(
          "compare",
          "--task",
          "binary-classification",
          "--metric",
          "auroc",
          "--margin",
          "0.1",
          "--baseline",
          predictions,
          "--candidate",
          predictions,
        );
        expect(compare.code, compare.stderr).toBe(0);
        const plan = await sluice("plan");
        expect(plan.code, plan.stderr).not.toBe(4);
        const bundle = await sluice("deploy", "tumour_zipmap", "--bundle", "space");
        expect(bundle.code, bundle.stderr).toBe(0);
        expect(existsSync(join(project, "space/Dockerfile"))).toBe(true);
      }, 240_000);
    },
  );
}, 400_000);
