import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { gate, pointerTo } from "./run.ts";

const data = "models/linear/data/rows.jsonl";
let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
  team.git("commit", "-qam", "The candidate");
});
afterEach(() => team.remove());

const stateOf = async () => (await gate(team)).verdict.commitState;

describe("the commit's state in the verdict", () => {
  it("is clean for a clone as it is checked out, whatever else lies there", async () => {
    team.write("notes.txt", "nobody reads this");
    const { verdict } = await gate(team);
    const commit = team.git("rev-parse", "HEAD").trim();
    expect(verdict.commitState).toEqual({ commit, dirty: false, digest: null, files: [] });
    expect(verdict.commit).toBe(commit);
  });

  it("is dirty with a digest of the changes: the same for the same, another for others", async () => {
    team.model({ offset: 0.01 });
    const first = await stateOf();
    expect(first).toMatchObject({ dirty: true, files: ["models/linear/model.yaml"] });
    expect(await stateOf()).toEqual(first);
    team.model({ offset: 0.02 });
    const second = await stateOf();
    expect(second?.digest).not.toBe(first?.digest);
  });

  it("is dirty when data is read that the commit does not hold, ignored by git or not", async () => {
    team.write(".gitignore", "rows.jsonl\n");
    team.git("rm", "-q", "--cached", data);
    team.git("add", ".gitignore");
    team.git("commit", "-qm", "data elsewhere");
    expect(await stateOf()).toMatchObject({ dirty: true, files: [data] });
  });

  it("is clean where Git LFS has put files in the place of pointers", async () => {
    const content = readFileSync(join(team.dir, data));
    const pointer = join(team.dir, ".git/pointer");
    mkdirSync(dirname(pointer), { recursive: true });
    writeFileSync(pointer, pointerTo(content));
    const blob = team.git("hash-object", "-w", "--no-filters", pointer).trim();
    // What `git lfs` configures, without git-lfs: cleaning gives the pointer.
    team.git("config", "filter.lfs.clean", `cat ${pointer}`);
    team.write(".gitattributes", "*.jsonl filter=lfs -text\n");
    team.git("add", ".gitattributes");
    team.git("update-index", "--cacheinfo", `100644,${blob},${data}`);
    team.git("commit", "-qm", "data in LFS");
    expect(await stateOf()).toMatchObject({ dirty: false });
  });
});

it.each([
  ["line ends", "*.jsonl text eol=crlf\n"],
  ["an encoding", "*.jsonl text working-tree-encoding=UTF-16LE-BOM\n"],
])("data that the checkout shows with other %s than the commit holds is named", async (_, attributes) => {
  team.write(".gitattributes", attributes);
  team.git("add", ".gitattributes");
  team.git("commit", "-qm", "attributes");
  team.git("rm", "-q", "--cached", "-r", "models/linear/data");
  team.git("reset", "-q", "--hard");
  expect(team.git("status", "--porcelain")).toBe("");
  const { verdict } = await gate(team);
  expect(verdict.commitState).toMatchObject({ dirty: true, files: [data] });
  expect(verdict.models[0]?.notes).toContainEqual(
    expect.stringMatching(/^The bytes of models\/linear\/data\/rows\.jsonl are not those of commit .*at checkout/),
  );
});
