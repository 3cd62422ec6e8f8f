import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { releaseMessage } from "../../github/registry/release.ts";
import { git } from "../actions/gate/runner.ts";
import type { Case } from "./read-cases.ts";
import { readStart } from "./read-cases.ts";
import type { Step } from "./case-file.ts";
import type { Services } from "./services.ts";
import { applyStep } from "./steps.ts";

/** A pull request as a runner has it before the gate: a checkout, and the event that started the workflow. */
export type CheckedOut = {
  dir: string;
  event: { name: string; payload: unknown };
  sha: string;
  ref: string;
  /** What lies beside the checkout. */
  beside: () => string[];
  /** Base and head → merge base, as GitHub would tell it for a shallow clone. */
  mergeBases: Record<string, string>;
  remove: () => void;
};

export type CheckOutDeps = {
  services: Services;
  /** Runs the gate in a folder with a cache folder; see the step `chunks`. */
  gate: (dir: string, cache: string) => Promise<void>;
};

/** Plays author and GitHub: commits base and change, merges them, and checks the merge out as actions/checkout does. */
export async function checkOut(played: Case, deps: CheckOutDeps): Promise<CheckedOut> {
  const work = mkdtempSync(join(tmpdir(), "sluice-corpus-"));
  const author = join(work, "author");
  const checkout = join(work, "checkout");
  mkdirSync(author);
  mkdirSync(checkout);
  git(author, "init", "-q", "-b", "main");
  let base = "";
  const objects = new Map<string, Buffer>();
  const apply = async (steps: readonly Step[], message: string) => {
    for (const step of steps) {
      if (step.commit !== undefined) commit(author, step.commit);
      await applyStep(step, {
        dir: author,
        placeholder: (name) => placeholder(name, author, base, deps.services),
        upload: (bytes) => {
          const oid = createHash("sha256").update(bytes).digest("hex");
          objects.set(oid, bytes);
          if (played.checkout.lfs === "server") deps.services.objects.set(`${played.name}/${oid}`, bytes);
        },
        gate: (cache) => deps.gate(author, cache),
      }).catch((error: Error) => {
        throw new Error(`${played.name}: ${JSON.stringify(step).slice(0, 200)}: ${error.message}`, { cause: error });
      });
    }
    return commit(author, message);
  };

  for (const name of played.start) {
    const { files, steps } = readStart(name);
    if (existsSync(files)) cpSync(files, author, { recursive: true });
    await apply(steps, name);
  }
  const places = {} as Places;
  const mark = (place: keyof Places, commit: string) => {
    places[place] = { commit, weights: weightsIn(author) };
  };
  mark("start", git(author, "rev-parse", "HEAD"));
  base = await apply(played.base, "base");
  mark("base", base);
  git(author, "checkout", "-q", "-b", "topic");
  const head = await apply(played.change, "change");
  mark("change", head);
  git(author, "checkout", "-q", "--force", "main");
  git(author, "clean", "-q", "-f", "-d", "-x");
  const tip = played.landed.length === 0 ? base : await apply(played.landed, "landed");
  git(author, "checkout", "-q", "--detach", "main");
  git(author, "merge", "-q", "--no-ff", "--no-edit", "topic");
  const merge = git(author, "rev-parse", "HEAD");
  for (const tag of played.tags) tagWithReceipt(author, tag, places);

  const { event, ref } = eventOf(played.event, { tip, head, merge });
  git(author, "update-ref", ref, merge);
  fetchAndCheckOut(checkout, author, ref, played, merge);
  keepObjects(checkout, objects, played, deps.services);
  return {
    dir: checkout,
    event,
    sha: merge,
    ref,
    beside: () => readdirSync(work),
    mergeBases: { [`${tip}...${head}`]: base },
    remove: () => {
      rmSync(work, { recursive: true, force: true });
    },
  };
}

/** @returns the commit, which is the one before when nothing has changed */
function commit(dir: string, message: string): string {
  git(dir, "add", "-A", "-f");
  git(dir, "commit", "-q", "--allow-empty", "-m", message);
  return git(dir, "rev-parse", "HEAD");
}

function placeholder(name: string, dir: string, base: string, { integrity, stranger }: Services): string {
  if (name === "base") return base;
  if (name === "stranger") return stranger;
  const [word, argument = ""] = name.split(" ");
  if (word === "sha256")
    return createHash("sha256")
      .update(readFileSync(join(dir, argument)))
      .digest("hex");
  if (word === "object") return objectPath(/sha256:(\w+)/.exec(readFileSync(join(dir, argument), "utf8"))![1]!);
  const known = integrity.get(argument);
  if (word === "integrity" && known !== undefined) return known;
  if (word === "sha512" && known !== undefined) return Buffer.from(known.slice(7), "base64").toString("hex");
  throw new Error(`nothing is known of {{${name}}}`);
}

/** SHA-256 of the weights of fares; empty when there are none. */
function weightsIn(dir: string): string {
  const file = join(dir, "models/fares/model.onnx");
  return existsSync(file) ? createHash("sha256").update(readFileSync(file)).digest("hex") : "";
}

type Places = Record<Case["tags"][number]["at"], { commit: string; weights: string }>;

function tagWithReceipt(dir: string, tag: Case["tags"][number], places: Places): void {
  const { name, version, verdict } = tag;
  const at = places[tag.at].commit;
  if (tag.kind === "lightweight") {
    git(dir, "tag", name, at);
    return;
  }
  const sha256 = places[tag.weights ?? tag.at].weights;
  const record = { model: { id: "fares", version, sha256 }, metrics: [], verdict: { verdict, reason: "" } };
  const named = places[tag.commit ?? tag.at].commit;
  git(dir, "tag", "-a", name, at, "-m", releaseMessage("fares", version, JSON.stringify(record), named));
}

/** Where a store of Git LFS keeps an object. */
const objectPath = (oid: string) => `${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;

type Commits = { tip: string; head: string; merge: string };

function eventOf(event: Case["event"], { tip, head, merge }: Commits) {
  const repository = { default_branch: "main" };
  const repo = (name: string) => ({ full_name: name });
  switch (event) {
    case "merge_group":
      return {
        event: { name: event, payload: { merge_group: { base_sha: tip, head_sha: merge }, repository } },
        ref: "refs/heads/gh-readonly-queue/main/pr-7",
      };
    case "push":
      return {
        event: { name: event, payload: { before: tip, after: merge, ref: "refs/heads/main", repository } },
        ref: "refs/heads/main",
      };
    case "pull_request":
    case "fork": {
      const from = repo(event === "fork" ? "mallory/models" : "octo/models");
      const payload = {
        pull_request: {
          number: 7,
          base: { sha: tip, ref: "main", repo: repo("octo/models") },
          head: { sha: head, ref: "topic", repo: from },
        },
        repository,
      };
      return { event: { name: "pull_request", payload }, ref: "refs/pull/7/merge" };
    }
  }
}

/** actions/checkout: one commit, or with fetch-depth 0 every branch and tag. */
function fetchAndCheckOut(dir: string, from: string, ref: string, { checkout }: Case, merge: string): void {
  git(dir, "init", "-q", "-b", "main");
  git(dir, "remote", "add", "origin", pathToFileURL(from).href);
  const refs =
    checkout.depth === "full" ? ["--tags", "+refs/heads/*:refs/remotes/origin/*", `+${ref}`] : ["--depth=1", `+${ref}`];
  git(dir, "fetch", "-q", "origin", ...refs);
  git(dir, "checkout", "-q", "--force", "--detach", merge);
  if (checkout.submodules)
    git(dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive");
}

/** What `lfs: true` leaves in the checkout: the objects, and the files in the place of their pointers. */
function keepObjects(
  dir: string,
  objects: ReadonlyMap<string, Buffer>,
  { name, checkout }: Case,
  { lfs }: Services,
): void {
  if (objects.size === 0) return;
  git(dir, "config", "lfs.url", `${lfs}/${name}`);
  if (checkout.lfs === "server") return;
  for (const [oid, bytes] of objects) {
    const path = join(dir, ".git/lfs/objects", objectPath(oid));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  if (checkout.lfs === "pointers") return;
  for (const path of git(dir, "ls-files").split("\n")) {
    const text = readFileSync(join(dir, path), "latin1").slice(0, 200);
    const oid = /^version https:\/\/git-lfs[^\n]*\noid sha256:([0-9a-f]{64})\n/.exec(text)?.[1];
    const bytes = oid === undefined ? undefined : objects.get(oid);
    if (bytes !== undefined) writeFileSync(join(dir, path), bytes);
  }
}
