import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { filesOf, snippetsOf } from "../../rehearsal/scene/snippets.ts";

const root = resolve(import.meta.dirname, "../..");
const fixtures = join(root, "tests/fixtures");
const page = readFileSync(join(root, "docs/models.md"), "utf8");
const files = filesOf(page);
const works = (program: string, code: string) => spawnSync(program, ["-c", code], { stdio: "ignore" }).status === 0;
const pythons = ["python3", "/usr/bin/python3"];
const python = pythons.find((one) => works(one, ""));
const trainer = pythons.find((one) => works(one, "import onnx, sklearn"));

// The folder of a reader: a repository beside Sluice's.
const desk = mkdtempSync(join(tmpdir(), "sluice-models-page-"));
const dir = join(desk, "models");
afterAll(() => {
  rmSync(desk, { recursive: true, force: true });
});
const write = (path: string, content: string) => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), content);
};
const identity = {
  GIT_AUTHOR_NAME: "Reader",
  GIT_AUTHOR_EMAIL: "reader@example.org",
  GIT_COMMITTER_NAME: "Reader",
  GIT_COMMITTER_EMAIL: "reader@example.org",
};

function shell(command: string): Promise<{ code: unknown; output: string }> {
  return new Promise((done) => {
    execFile(
      "bash",
      ["-euo", "pipefail", "-c", command],
      { cwd: dir, timeout: 90_000, env: { ...process.env, ...identity, GITHUB_TOKEN: "", COLUMNS: "200" } },
      (error, stdout, stderr) => {
        done({ code: error === null ? 0 : error.code, output: stdout + stderr });
      },
    );
  });
}

/** The commands of the page with the heading above each and the outcome that its comment promises. */
const commands = snippetsOf(page)
  .filter(({ language }) => language === "console")
  .flatMap(({ text, line }) => {
    const heading =
      page
        .split("\n")
        .slice(0, line)
        .findLast((one) => one.startsWith("## ")) ?? "";
    return text
      .split("\n")
      .filter((one) => one.startsWith("$ "))
      .map((one) => ({
        heading: heading.replace("## ", ""),
        command: one.slice(2).replace(/\s+# .*$/, ""),
        code: Number(/# .*exit code (\d)/.exec(one)?.[1] ?? 0),
        verdict: /# .*\b(PASS|FAIL|INCONCLUSIVE|ERROR)\b/.exec(one)?.[1],
      }));
  });

/** Replaces the training script by its results, so that scikit-learn is not needed. */
const trained = (command: string) =>
  command.replace(/^python3 models\/tumours\/train\.py (\S+)/, (_, c: string) =>
    [
      `mkdir -p models/tumours/data && cp ${fixtures}/tumours/cells.csv models/tumours/data/ && cp ${fixtures}/tumours/${c}.onnx models/tumours/model.onnx`,
      'sed -i "s/sha256: \\"[0-9a-f]*\\"/sha256: \\"$(sha256sum models/tumours/model.onnx | cut -c1-64)\\"/" models/tumours/model.yaml',
    ].join(" && "),
  );

type Outcome = { command: string; code: unknown; verdict: string | undefined; output?: string };
const promised = (heading: string): Outcome[] =>
  commands.filter((one) => one.heading === heading).map(({ command, code, verdict }) => ({ command, code, verdict }));

/**
 * Runs the commands below a heading and returns their outcomes. An outcome that is not as promised includes the output.
 */
async function follow(heading: string, change: (command: string) => string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { command, code, verdict } of promised(heading)) {
    const ran = await shell(change(command));
    const said = verdict === undefined ? undefined : /^(PASS|FAIL|INCONCLUSIVE|ERROR) +\w+ \d/m.exec(ran.output)?.[1];
    outcomes.push({
      command,
      code: ran.code,
      verdict: said,
      ...(ran.code === code && said === verdict ? {} : { output: ran.output }),
    });
  }
  return outcomes;
}

beforeAll(async () => {
  mkdirSync(dir);
  symlinkSync(root, join(desk, "sluice"));
  for (const [path, content] of files) if (path !== "models/virality") write(path, content);
  // Only the first command is run, because Sluice is already beside the folder.
  const [init] = commands;
  expect((await shell(init!.command)).code).toBe(0);
});

it("commands for the scikit-learn model do what the page says: four gates with their exit codes, plan, predict", async () => {
  const all = promised("From scikit-learn");
  expect(all.map(({ verdict }) => verdict).filter(Boolean)).toEqual(["PASS", "PASS", "INCONCLUSIVE", "FAIL"]);
  expect(await follow("From scikit-learn", trained)).toEqual(all);
}, 120_000);

it.skipIf(python === undefined)(
  "catches a PyTorch model that reads its padding, and passes it when every row is padded to one length",
  async () => {
    mkdirSync(join(dir, "models/reviews/data"), { recursive: true });
    cpSync(join(fixtures, "tokens-leak-padding.onnx"), join(dir, "models/reviews/model.onnx"));
    const words = ["<pad>", "<unk>", ..."a quiet and lovely film with some other words that nobody minds".split(" ")];
    write("models/reviews/vocab.txt", words.join("\n"));
    // The fixture treats words with even numbers as positive and answers with their share of the padded width.
    const rows = Array.from({ length: 120 }, (_, i) => {
      const numbers = Array.from({ length: 1 + ((i * 7) % 40) }, (_unused, j) => 2 + 2 * ((i + j * 3) % 5) + (i % 2));
      return { text: numbers.map((number) => words[number]).join(" "), label: 1 - (i % 2) };
    });
    write("models/reviews/data/reviews.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const all = promised("From PyTorch");
    expect(all.map(({ verdict }) => verdict).filter(Boolean)).toEqual(["ERROR", "PASS"]);
    expect(await follow("From PyTorch", (command) => command.replace(/^python3/, python!))).toEqual(all);
  },
  120_000,
);

it.skipIf(trainer === undefined)(
  "the training script writes the rows of the fixture and a model that the gate can measure",
  async () => {
    const made = await shell(
      `${trainer} models/tumours/train.py 1 && ../sluice/scripts/sluice.mjs gate tumours --baseline none --no-performance --json`,
    );
    expect(readFileSync(join(dir, "models/tumours/data/cells.csv"), "utf8")).toBe(
      readFileSync(join(fixtures, "tumours/cells.csv"), "utf8"),
    );
    expect(made.output).toMatch(/"metric": ?"auroc"/);
  },
  120_000,
);

it("virality has exactly the files that the page lists, and no source outside its folder mentions it", () => {
  const inFolder = (of: string) =>
    readdirSync(join(root, of), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  const listed = files
    .get("models/virality")!
    .split("\n")
    .filter(Boolean)
    .map((line) => /^\+ (\S+)/.exec(line)?.[1]);
  expect(
    inFolder("models/virality")
      .filter((path) => !/\/\.(sluice|cache)\/|__pycache__/.test(path))
      .sort(),
  ).toEqual(listed.sort());
  const sources = ["models/core", "eval", "actions", "bot", "spaces", "cli"]
    .flatMap(inFolder)
    .filter((path) => /\.(ts|js|mjs|html)$/.test(path) && !path.includes("/dist/"));
  expect(sources.length).toBeGreaterThan(300);
  expect(sources.filter((path) => /virality/i.test(readFileSync(join(root, path), "utf8")))).toEqual([]);
});
