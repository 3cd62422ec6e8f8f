import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventOf, jobOf, Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.close());

const pin = "@0000000000000000000000000000000000000000";
const steps = (lines: string, more = "") =>
  `on: push\n${more}jobs:\n  one:\n    runs-on: ubuntu-24.04\n    permissions: { contents: read, actions: read }\n    steps:\n${lines.replace(/^/gm, "      ")}`;

describe("artifacts", () => {
  it("travel between jobs as real zips: paths, hidden files, patterns, overwriting", async () => {
    const run = await stage.play(`on: push
jobs:
  make:
    runs-on: ubuntu-24.04
    steps:
      - run: mkdir -p .out/sub more && echo one > .out/verdict.json && echo two > .out/sub/report.md && echo hidden > more/.secret && echo seen > more/seen.txt
      - { uses: actions/upload-artifact${pin}, with: { name: files-0, path: ".out/verdict.json\\n.out/sub/report.md", retention-days: 30 } }
      - { id: up, uses: actions/upload-artifact${pin}, with: { name: files-1, path: more } }
      - { uses: actions/upload-artifact${pin}, with: { name: all, path: .out, include-hidden-files: true } }
      - { uses: actions/upload-artifact${pin}, with: { name: none, path: .out } }
      - run: echo again > .out/verdict.json
      - { uses: actions/upload-artifact${pin}, with: { name: files-0, path: "**/verdict.json", include-hidden-files: true, overwrite: true } }
      - { uses: actions/upload-artifact${pin}, continue-on-error: true, with: { name: files-0, path: more } }
      - { uses: actions/upload-artifact${pin}, continue-on-error: true, with: { name: nothing, path: nowhere, if-no-files-found: error } }
      - run: test "\${{ steps.up.outputs.artifact-id }}" = 2
  use:
    needs: make
    runs-on: ubuntu-24.04
    steps:
      - { uses: actions/download-artifact${pin}, with: { pattern: files-*, path: apart } }
      - { uses: actions/download-artifact${pin}, with: { pattern: files-*, path: merged, merge-multiple: true } }
      - { id: one, uses: actions/download-artifact${pin}, with: { name: all, path: named } }
      - { uses: actions/download-artifact${pin}, with: { pattern: al*, path: lone } }
      - run: find . -type f | sort; cat apart/files-0/.out/verdict.json; echo "\${{ steps.one.outputs.download-path }}"
      - { uses: actions/download-artifact${pin}, with: { name: missing } }
`);
    const { log, steps: done } = jobOf(run, "use");
    expect(run.artifacts.map(({ name }) => name)).toEqual(["files-1", "all", "files-0"]);
    expect(jobOf(run, "make").conclusion, jobOf(run, "make").log).toBe("success");
    expect(jobOf(run, "make").annotations.map(({ message }) => message)).toEqual([
      "No files were found with the provided path: .out. No artifacts will be uploaded.",
      expect.stringContaining("(409) Conflict"),
      "No files were found with the provided path: nowhere. No artifacts will be uploaded.",
    ]);
    expect(log).toContain(
      [
        "./apart/files-0/.out/verdict.json",
        "./apart/files-1/seen.txt",
        "./lone/sub/report.md",
        "./lone/verdict.json",
        "./merged/.out/verdict.json",
        "./merged/seen.txt",
        "./named/sub/report.md",
        "./named/verdict.json",
        "again",
      ].join("\n"),
    );
    expect(log).toContain("Unable to download artifact(s): Artifact not found for name: missing");
    expect(done.at(-1)?.conclusion).toBe("failure");
    const all = run.artifacts[1]!;
    expect(all.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const zip = readFileSync(all.path, "latin1");
    expect(zip.startsWith("PK\u0003\u0004")).toBe(true);
    expect(zip).toMatch(/sub\/report\.md[^]*verdict\.json/);
  });

  it("of another run need a token that may read runs", async () => {
    const first = await stage.play(
      steps(`- run: echo one > a.txt\n- { uses: actions/upload-artifact${pin}, with: { name: a, path: a.txt } }\n`),
    );
    const second = await stage.play(`on: push
jobs:
  may: { runs-on: ubuntu-24.04, permissions: { actions: read }, steps: [{ uses: actions/download-artifact${pin}, with: { name: a, run-id: "${first.id}", github-token: "\${{ github.token }}" } }, { run: cat a.txt }] }
  may-not: { runs-on: ubuntu-24.04, permissions: {}, steps: [{ uses: actions/download-artifact${pin}, with: { name: a, run-id: "${first.id}", github-token: "\${{ github.token }}" } }] }
`);
    expect(jobOf(second, "may").log).toContain("\none\n");
    expect(jobOf(second, "may-not").log).toContain("Resource not accessible by integration");
  });
});

describe("actions/checkout", () => {
  it("clones: shallow, whole, sparse, another ref, another repository", async () => {
    stage.commit({ "lib/a.txt": "a", "docs/b.txt": "b", "top.txt": "t" }, { name: "sluice/sluice", message: "theirs" });
    stage.commit({ "old.txt": "old" }, { message: "older" });
    stage.git("octo/models", "tag", "-f", "v1");
    const run = await stage.play(
      steps(`- { uses: actions/checkout${pin}, with: { path: shallow, persist-credentials: false } }
- { uses: actions/checkout${pin}, with: { path: whole, fetch-depth: 0 } }
- { uses: actions/checkout${pin}, with: { path: tag, ref: v1 } }
- { id: sparse, uses: actions/checkout${pin}, with: { path: sparse, repository: sluice/sluice, sparse-checkout: lib } }
- run: |
    for clone in shallow whole tag sparse; do echo "$clone $(git -C $clone rev-list --count HEAD) $(git -C $clone rev-parse --is-shallow-repository) $(git -C $clone symbolic-ref -q --short HEAD || echo detached)"; done
    (cd sparse && find . -path ./.git -prune -o -type f -print | sort)
    git -C shallow config --get-regexp extraheader || echo no credentials
    git -C whole config --get-regexp extraheader
    git -C shallow fetch -q --depth=1 origin v1 && git -C shallow show FETCH_HEAD:old.txt
    git -C whole push -q origin HEAD:refs/heads/stolen || echo no push
    test "\${{ steps.sparse.outputs.commit }}" = "$(git -C sparse rev-parse HEAD)"
`),
    );
    const { log, conclusion } = jobOf(run, "one");
    expect(conclusion, log).toBe("success");
    const commits = Number(stage.git("octo/models", "rev-list", "--count", "HEAD"));
    expect(log).toContain(
      `shallow 1 true main\nwhole ${commits} false main\ntag 1 true detached\nsparse 1 true main\n./lib/a.txt\n./top.txt\nno credentials\n`,
    );
    expect(log).toContain("http.http://127.0.0.1:9/.extraheader AUTHORIZATION: basic ***");
    expect(log).toContain("\noldno push");
  });

  it("takes the merge commit of a pull request, and nothing of a fork after workflow_run", async () => {
    const base = stage.commit({
      ".github/workflows/w.yml": `on: pull_request\njobs: { one: { runs-on: ubuntu-24.04, steps: [{ uses: actions/checkout${pin} }, { run: 'git rev-parse HEAD; git status --short --branch' }] } }\n`,
      ".github/workflows/after.yml": `on: workflow_run\njobs: { one: { runs-on: ubuntu-24.04, steps: [{ uses: actions/checkout${pin}, with: { ref: "\${{ github.event.workflow_run.head_sha }}" } }] } }\n`,
    });
    const head = stage.commit({ "c.txt": "c" }, { branch: "topic" });
    const [run] = await stage.pull(base, head, { fork: true });
    await stage.executor.idle();
    expect(jobOf(run!, "one").log).toContain(
      `${stage.git("octo/models", "rev-parse", "refs/pull/7/merge")}\n## HEAD (no branch)`,
    );
    const [after] = await stage.executor.trigger({
      ...eventOf("workflow_run", base),
      payload: {
        action: "completed",
        workflow_run: {
          name: "w",
          event: "pull_request",
          head_sha: head,
          head_branch: "topic",
          head_repository: { full_name: "mallory/models", fork: true },
        },
      },
    });
    await stage.executor.idle();
    expect(jobOf(after!, "one").log).toContain("Refusing to check out fork pull request code");
  });

  it("runs actions of repositories that GitHub holds", async () => {
    const sha = stage.commit(
      {
        "act/action.yml": "name: Act\nruns: { using: node24, main: main.js }\n",
        "act/main.js": "console.log('from afar')",
      },
      { name: "sluice/sluice" },
    );
    const run = await stage.play(
      steps(
        `- uses: sluice/sluice/act@${sha}\n- { uses: actions/setup-node${pin}, with: { node-version: 24 } }\n- run: node --version\n`,
      ),
    );
    expect(jobOf(run, "one").log).toContain("from afar");
    expect(jobOf(run, "one").conclusion, jobOf(run, "one").log).toBe("success");
  });
});
