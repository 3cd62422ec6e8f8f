// node scripts/with-node24.mjs bench/gate/action.ts
//
// Measures the committed gate action, started as a runner starts it, in an empty directory and without a network.
// Prints sizes, start time, and start → verdict on births.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import os, { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const runs = 7;
const work = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const action = join(work, "action");
const repository = join(work, "repository");
const git = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    "git",
    ["-c", "user.name=b", "-c", "user.email=b@example.org", ...args],
    { cwd: repository, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
};

try {
  cpSync(join(root, "actions/gate/dist"), join(action, "dist"), { recursive: true });
  const native = [process.platform, process.arch] as const;
  cpSync(join(root, "node_modules/onnxruntime-node/bin/napi-v6", ...native), join(action, "native", native.join("-")), {
    recursive: true,
  });
  mkdirSync(join(repository, "models"), { recursive: true });
  cpSync(join(root, "models/births"), join(repository, "models/births"), { recursive: true });
  writeFileSync(join(repository, "sluice.yaml"), "schemaVersion: 1\nmodels: [models/births]\n");
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "base");
  const base = git("rev-parse", "HEAD");
  writeFileSync(join(repository, "note.md"), "a change\n");
  git("add", "-A");
  git("commit", "-qm", "change");
  const head = git("rev-parse", "HEAD");
  const event = join(work, "event.json");
  writeFileSync(
    event,
    JSON.stringify({
      action: "opened",
      number: 7,
      pull_request: {
        number: 7,
        base: { sha: base, ref: "main", repo: { full_name: "o/r" } },
        head: { sha: head, ref: "topic", repo: { full_name: "o/r" } },
      },
    }),
  );

  const step = (inputs: Record<string, string>, i: number) => {
    const start = performance.now();
    const { status, stdout } = spawnSync(process.execPath, [join(action, "dist/main.js")], {
      cwd: repository,
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        HOME: work,
        GITHUB_ACTIONS: "true",
        RUNNER_TEMP: work,
        GITHUB_WORKSPACE: repository,
        GITHUB_REPOSITORY: "o/r",
        GITHUB_EVENT_NAME: "pull_request",
        GITHUB_EVENT_PATH: event,
        GITHUB_SHA: head,
        GITHUB_REF: "refs/pull/7/merge",
        GITHUB_API_URL: "http://127.0.0.1:9",
        SLUICE_CACHE: join(work, `cache-${i}`),
        INPUT_COMMENT: "never",
        ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name}`, value])),
      },
    });
    return { seconds: (performance.now() - start) / 1000, status, stdout };
  };
  const timed = (inputs: Record<string, string>, expected: number) =>
    Array.from({ length: runs }, (_, i) => {
      const { seconds, status, stdout } = step(inputs, i);
      rmSync(join(work, `cache-${i}`), { recursive: true, force: true });
      if (status !== expected) throw new Error(`exit ${status} instead of ${expected}:\n${stdout}`);
      return seconds;
    }).toSorted((a, b) => a - b);
  const row = (what: string, values: number[]) =>
    `| ${what} | ${values[0]?.toFixed(2)} | ${values[Math.floor(values.length / 2)]?.toFixed(2)} | ${values.at(-1)?.toFixed(2)} |`;

  const bare = Array.from({ length: runs }, () => {
    const start = performance.now();
    spawnSync(process.execPath, ["-e", ""]);
    return (performance.now() - start) / 1000;
  }).toSorted((a, b) => a - b);
  const lines = [
    "| seconds | fastest | median | slowest |",
    "| --- | --- | --- | --- |",
    row("bare Node, nothing to do", bare),
    row("start → wrong input refused", timed({ COMMENT: "sometimes" }, 2)),
    row("start → verdict on births, every check of its model.yaml", timed({}, 0)),
  ];
  const files = readdirSync(join(root, "actions/gate/dist")).map((name) => ({
    name,
    bytes: statSync(join(root, "actions/gate/dist", name)).size,
  }));
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
  const largest = files.toSorted((a, b) => b.bytes - a.bytes)[0];
  const text = `# The gate action

${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} cores, Node ${process.versions.node}. ${runs} runs each. Command: \`node scripts/with-node24.mjs bench/gate/action.ts\`

Committed bundle: ${kilobytes(files.reduce((sum, file) => sum + file.bytes, 0))} in ${files.length} files; main.js ${kilobytes(files.find((file) => file.name === "main.js")?.bytes ?? 0)}; largest ${largest?.name} ${kilobytes(largest?.bytes ?? 0)}.

${lines.join("\n")}
`;
  writeFileSync(join(root, "bench/results/gate-action.md"), text);
  console.log(text);
} finally {
  rmSync(work, { recursive: true, force: true });
}
