import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { git, repositoryRoot } from "./runner.ts";

const manifest = "models/births/model.yaml";

/** A repository with the births model, a base commit on main, and a pull request's commit on a branch. */
export type ModelRepository = {
  dir: string;
  base: string;
  head: string;
  /** 1-based number of the line of model.yaml that contains the text, at the head commit. */
  lineOf(text: string): number;
  remove(): void;
};

export type RepositoryOptions = {
  /** The lines of `checks` under `gates` at the base commit. */
  checks: string[];
  /** sluice.yaml at the base commit. */
  configuration?: string;
  /** Edits that the pull request makes. */
  change?: (files: {
    read: (path: string) => string;
    write: (path: string, text: string | Buffer) => void;
    move: (from: string, to: string) => void;
  }) => void;
};

export function makeRepository({
  checks,
  configuration = "schemaVersion: 1\nmodels:\n  - models/births\n",
  change,
}: RepositoryOptions): ModelRepository {
  const dir = mkdtempSync(join(tmpdir(), "sluice-repo-"));
  mkdirSync(join(dir, "models"));
  cpSync(join(repositoryRoot, "models/births"), join(dir, "models/births"), { recursive: true });
  const files = {
    read: (path: string) => readFileSync(join(dir, path), "utf8"),
    write: (path: string, text: string | Buffer) => {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    },
    move: (from: string, to: string) => {
      renameSync(join(dir, from), join(dir, to));
    },
  };
  files.write("sluice.yaml", configuration);
  files.write(".gitignore", ".sluice/\n.cache/\n");
  files.write(manifest, withChecks(files.read(manifest), checks));
  git(dir, "init", "-q", "-b", "main");
  git(dir, "add", "-A");
  git(dir, "commit", "-q", "-m", "base");
  const base = git(dir, "rev-parse", "HEAD");
  git(dir, "checkout", "-q", "-b", "topic");
  files.write("models/births/README.md", "A note.\n");
  change?.(files);
  git(dir, "add", "-A");
  git(dir, "commit", "-q", "-m", "change");
  return {
    dir,
    base,
    head: git(dir, "rev-parse", "HEAD"),
    lineOf: (text) =>
      files
        .read(manifest)
        .split("\n")
        .findIndex((line) => line.includes(text)) + 1,
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * The manifest with other checks. The births model's own checks include latency, which would slow these stories down.
 */
export function withChecks(text: string, checks: readonly string[]): string {
  return text.replace(/^ {2}checks:\n(?: {4}.*\n)+/m, `  checks:\n${checks.map((line) => `    - ${line}\n`).join("")}`);
}

export function pullRequest({ base, head }: { base: string; head: string }, options: { fork?: boolean } = {}) {
  const repo = (name: string) => ({ full_name: name });
  return {
    name: "pull_request",
    payload: {
      pull_request: {
        number: 7,
        base: { sha: base, ref: "main", repo: repo("octo/models") },
        head: { sha: head, ref: "topic", repo: repo(options.fork === true ? "mallory/models" : "octo/models") },
      },
      repository: { default_branch: "main" },
    },
  };
}
