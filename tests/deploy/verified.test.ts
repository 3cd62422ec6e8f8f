import { describe, expect, it, type TestContext } from "vitest";
import { Http } from "../../deploy/hub/http.ts";
import { readSettings } from "../../deploy/hub/settings.ts";
import { closeAbandoned, verifiedRevisions } from "../../deploy/record/deployments.ts";
import { GitHubRecords } from "../../deploy/record/github-records.ts";
import { releasedAs } from "../../deploy/record/release.ts";
import { releaseMessage } from "../../github/registry/release.ts";
import { startGitHub, type SeededGitHub } from "../../rehearsal/github/seeded/github.ts";
import { tokens } from "./stage.ts";

type Past = { kind?: "deploy" | "rollback"; version: string; states?: string[]; space?: string };

/** A GitHub with these Deployments, oldest first; the n-th put revision n there. */
async function after(past: readonly Past[], { onTestFinished }: TestContext) {
  const github = await startGitHub();
  onTestFinished(() => github.close());
  for (const [
    i,
    { kind = "deploy", version, space = "octo/births", states = ["in_progress", "success"] },
  ] of past.entries()) {
    github.state.rows.push({
      id: 7000 + i,
      sha: commitOf(version),
      ref: commitOf(version),
      task: "sluice",
      environment: "births-production",
      description: "",
      payload: {
        schemaVersion: 1,
        kind,
        space,
        spaceCommit: `revision ${i + 1}`,
        model: { id: "births", version, sha256: `sha of ${version}` },
        verdictSha256: "",
        reason: "",
        actor: "octo",
      },
      transient_environment: false,
      production_environment: true,
    });
    github.state.deployments[7000 + i] = states.map((state, id) => ({
      id,
      state,
      description: "",
      log_url: "",
      environment_url: "",
    }));
  }
  return { github, records: recordsOf(github) };
}

const commitOf = (version: string) => Buffer.from(version.padEnd(20, "0")).toString("hex");
const recordsOf = (github: SeededGitHub, send: typeof fetch = fetch) =>
  new GitHubRecords(
    new Http(readSettings("retry-wait=0.001", "here"), {
      fetch: send,
      monotonic: () => performance.now(),
      sleep: () => Promise.resolve(),
      random: () => 0.5,
      note: () => {},
      signal: new AbortController().signal,
    }),
    github.url,
    { owner: "octo", repo: "models" },
    tokens.github,
  );
const failed: Past = { version: "2.0.0", states: ["in_progress", "failure"] };

describe("what to go back to", () => {
  it.for<[string, Past[], string[]]>([
    ["what was deployed, newest first", [{ version: "1" }, { version: "2" }, { version: "3" }], ["3", "2", "1"]],
    [
      "not what was rolled back from",
      [{ version: "1" }, { version: "2" }, { kind: "rollback", version: "1" }],
      ["1 (3)"],
    ],
    [
      "what was before both, after two roll-backs",
      [
        { version: "0" },
        { version: "1" },
        { version: "2" },
        { version: "3" },
        { kind: "rollback", version: "2" },
        { kind: "rollback", version: "1" },
      ],
      ["1 (6)", "0"],
    ],
    [
      "what was rolled back from and then deployed again",
      [{ version: "1" }, { version: "2" }, { kind: "rollback", version: "1" }, { version: "2" }],
      ["2 (4)", "1 (3)"],
    ],
    [
      "what was rolled back from and then named by a person",
      [{ version: "1" }, { version: "2" }, { kind: "rollback", version: "1" }, { kind: "rollback", version: "2" }],
      ["2 (4)", "1"],
    ],
    [
      "an automatic return loses nothing",
      [{ version: "1" }, { version: "2" }, failed, { kind: "rollback", version: "2" }],
      ["2 (4)", "1"],
    ],
    [
      "a return to what no record knows loses nothing",
      [{ version: "1" }, failed, { kind: "rollback", version: "9" }],
      ["9 (3)", "1"],
    ],
    [
      "what was proved before 25 failures and 100 deployments to another Space",
      [
        { version: "1" },
        ...Array.from({ length: 25 }, () => failed),
        ...Array.from({ length: 100 }, () => ({ version: "5", space: "octo/other" })),
      ],
      ["1"],
    ],
  ])("is %s", async ([, past, expected], test) => {
    const { records } = await after(past, test);
    const found = await verifiedRevisions(records, "births-production", "octo/births");
    const numbered = found.map(({ version, commit }) => `${version} (${commit.slice("revision ".length)})`);
    expect(numbered.map((one, i) => (expected[i]?.includes("(") === true ? one : found[i]!.version))).toEqual(expected);
  });

  it("is still known when the list of Deployments is empty once", async (test) => {
    const { github } = await after([{ version: "1" }], test);
    let lists = 0;
    const records = recordsOf(github, (input, init) =>
      /\/deployments\?/.test(String(input)) && lists++ === 0
        ? Promise.resolve(Response.json([]))
        : fetch(input as string, init),
    );
    expect(await verifiedRevisions(records, "births-production", "octo/births")).toHaveLength(1);
  });
});

it("closes what a killed run left open, and nothing else", async (test) => {
  const { github, records } = await after(
    [
      { version: "1", states: ["in_progress"] },
      { version: "2" },
      { version: "3", states: ["in_progress"] },
      { version: "4" },
    ],
    test,
  );
  await closeAbandoned(records, "births-production", "octo/births", 7003, null);
  const last = [7000, 7001, 7002, 7003].map((id) => github.state.deployments[id]!.at(-1)!.state);
  expect(last).toEqual(["error", "success", "error", "success"]);
});

describe("what a release was made for", () => {
  const tag = "refs/tags/births@1";
  const record = JSON.stringify({ model: { id: "births", version: "1", sha256: "sha of 1" } });

  it("is said by the tag's receipt, wherever the tag points now", async (test) => {
    const { github, records } = await after([], test);
    const [made, moved] = ["a".repeat(40), "b".repeat(40)];
    const message = releaseMessage("births", "1", record, made);
    github.state.git.tags["c".repeat(40)] = { tag: "births@1", message, object: moved };
    github.state.git.refs[tag] = { sha: "c".repeat(40), type: "tag" };
    expect(await releasedAs(records, "births", "1")).toMatchObject({
      tagged: moved,
      madeFor: [made],
      sha256: "sha of 1",
    });
  });

  it("is said by the Deployments when the tag is gone, or has lost its receipt", async (test) => {
    const { github, records } = await after([{ version: "1" }, { version: "2" }], test);
    const expected = { madeFor: [commitOf("1")], sha256: "sha of 1", source: "GitHub Deployment 7000" };
    expect(await releasedAs(records, "births", "1")).toEqual({ tagged: null, ...expected });
    github.state.git.refs[tag] = { sha: "d".repeat(40), type: "commit" };
    expect(await releasedAs(records, "births", "1")).toEqual({ tagged: "d".repeat(40), ...expected });
    expect(await releasedAs(records, "births", "3")).toBeNull();
  });
});
