import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VerdictFile } from "../../eval/schema/verdict.ts";
import { git, repositoryRoot } from "../actions/gate/runner.ts";

/** A repository with the births model and, beside it, the verdict of a gate on its commit. */
export type DeployRepository = {
  dir: string;
  commit(): string;
  /** Makes the next version: the same folder with the production weights or with its own. */
  release(version: string, weights: "candidate" | "production"): void;
  /** Writes .sluice/verdict.json for the current state, with changes. */
  judge(change?: (verdict: VerdictFile) => void): void;
  write(path: string, text: string | Buffer): void;
  read(path: string): string;
  save(): void;
  remove(): void;
};

const manifest = "models/births/model.yaml";

export function makeDeployRepository(): DeployRepository {
  const dir = mkdtempSync(join(tmpdir(), "sluice-deploy-repo-"));
  const source = join(repositoryRoot, "models/births");
  mkdirSync(join(dir, "models/births"), { recursive: true });
  for (const file of ["model.yaml", "model.onnx", "README.md"])
    cpSync(join(source, file), join(dir, "models/births", file));
  const repository: DeployRepository = {
    dir,
    commit: () => git(dir, "rev-parse", "HEAD"),
    write: (path, text) => {
      mkdirSync(join(dir, path, ".."), { recursive: true });
      writeFileSync(join(dir, path), text);
    },
    read: (path) => readFileSync(join(dir, path), "utf8"),
    release(version, weights) {
      const bytes = readFileSync(join(source, weights === "production" ? "production/model.onnx" : "model.onnx"));
      repository.write("models/births/model.onnx", bytes);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      // The two versions differ in more than weights, so each uses the text of its own manifest.
      const text = readFileSync(
        join(source, weights === "production" ? "production/model.yaml" : "model.yaml"),
        "utf8",
      );
      repository.write(
        manifest,
        withExamples(text, source)
          .replace(/^version: .*$/m, `version: ${version}`)
          .replace(/sha256: [0-9a-f]{64}/, `sha256: ${sha256}`),
      );
      repository.save();
      repository.judge();
    },
    judge(change) {
      const text = repository.read(manifest);
      const verdict: VerdictFile = {
        schemaVersion: 1,
        verdict: "PASS",
        reason: "every check passed",
        commit: repository.commit(),
        sluiceVersion: "0.1.0",
        createdAt: new Date().toISOString(),
        models: [
          {
            model: {
              id: "births",
              version: /^version: (.*)$/m.exec(text)![1]!,
              task: "regression",
              sha256: /sha256: ([0-9a-f]{64})/.exec(text)![1]!,
            },
            baseline: null,
            baselineSource: "none",
            dataset: null,
            verdict: "PASS",
            reason: "every check passed",
            checks: [],
            notes: [],
            policySource: "model.yaml",
            policyChanges: [],
          },
        ],
      };
      change?.(verdict);
      repository.write(".sluice/verdict.json", JSON.stringify(verdict));
    },
    save() {
      git(dir, "add", "-A");
      git(dir, "commit", "-q", "--allow-empty", "-m", "a change");
    },
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
  repository.write(
    "sluice.yaml",
    "schemaVersion: 1\nmodels:\n  - models/births\nspaces:\n  births: {staging: octo/births-staging, production: octo/births}\n",
  );
  repository.write(".gitignore", ".sluice/\n.cache/\nout/\n");
  git(dir, "init", "-q", "-b", "main");
  return repository;
}

/** The production manifest may have no serving examples of its own. */
function withExamples(text: string, source: string): string {
  if (/^serving:/m.test(text)) return text;
  return `${text.trimEnd()}\n${/^serving:[\s\S]*$/m.exec(readFileSync(join(source, "model.yaml"), "utf8"))![0]}`;
}
