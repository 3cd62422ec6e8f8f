import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configuration } from "../../../eval/schema/configuration.ts";
import { modelsToGate } from "../../../eval/gate/changed-models.ts";
import { gitIn } from "../../../eval/gate/git.ts";
import { linearManifest, teamRepository, type LinearChanges, type TeamRepository } from "../../cli/repository.ts";
import { gateOf, verdictOn } from "./verdict-on.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

const commit = (message: string) => {
  team.git("add", "-A");
  team.git("commit", "-qm", message);
};
const configure = (text: string) => team.write("sluice.yaml", `schemaVersion: 1\n${text}\n`);
const move = (from: string, to: string) => renameSync(join(team.dir, from), join(team.dir, to));
const writeModel = (folder: string, changes: LinearChanges) =>
  team.write(`${folder}/model.yaml`, stringify(linearManifest(changes)));
/** A second model, so that there is one left when the first goes. */
const other = (folder = "models/other", changes: LinearChanges = {}) => {
  cpSync(join(team.dir, "models/linear"), join(team.dir, folder), { recursive: true });
  writeModel(folder, { id: "other", ...changes });
};
const lax = { checks: [{ kind: "limit" as const, metric: "rmse" as const, max: 999 }] };
const words = async () => (await gateOf(team.dir)).verdict.models.map(({ model, verdict }) => [model.id, verdict]);

describe("a model keeps its exam", () => {
  it("in another folder: the base's gates and baseline are found by its id", async () => {
    move("models/linear", "models/moved");
    configure("models: [models/moved]");
    writeModel("models/moved", { offset: 0.05, gates: lax });
    const equal = await verdictOn(team.dir);
    expect(equal).toMatchObject({ verdict: "PASS", baseline: { id: "linear", version: "1.0.0" } });
    expect(equal.checks).toHaveLength(4);
    writeModel("models/moved", { offset: 1.5, gates: lax });
    expect(await verdictOn(team.dir)).toMatchObject({ verdict: "FAIL" });
  });

  it("under another id that says which it had", async () => {
    writeModel("models/linear", { id: "straight", formerly: "linear", offset: 0.05, gates: lax });
    const equal = await verdictOn(team.dir);
    expect(equal).toMatchObject({ model: { id: "straight" }, verdict: "PASS", baseline: { id: "linear" } });
    expect(equal.notes).toContain("straight is linear under a new name (`formerly`), and takes its exam.");
    writeModel("models/linear", { id: "straight", formerly: "linear", offset: 1.5, gates: lax });
    expect(await verdictOn(team.dir, { models: ["linear"] })).toMatchObject({ verdict: "FAIL" });
    // Once it has landed, the key may stay.
    writeModel("models/linear", { id: "straight", formerly: "linear" });
    commit("renamed");
    writeModel("models/linear", { id: "straight", formerly: "linear", version: "1.2.0", offset: 0.05 });
    expect(await words()).toEqual([["straight", "PASS"]]);
  });
});

describe("a model that no candidate continues is named and not green", () => {
  const ended = async (id = "linear") => {
    const { verdict } = await gateOf(team.dir);
    expect(verdict.verdict).toBe("INCOMPARABLE");
    const found = verdict.models.find(({ model }) => model.id === id && model.version === "1.0.0");
    expect(found).toMatchObject({ verdict: "INCOMPARABLE", checks: [] });
    return found!.reason;
  };

  it("left out of sluice.yaml", async () => {
    other();
    configure("models: [models/other]");
    expect(await ended()).toMatch(
      /^linear is gated at the base \(models\/linear\), and no model of this change has its id; .*first merge `retired: \[linear\]`/,
    );
  });

  it("its folder deleted", async () => {
    other();
    configure("models: [models/other]");
    rmSync(join(team.dir, "models/linear"), { recursive: true });
    expect(await ended()).toMatch(/^linear is gated at the base/);
  });

  it("another model in its folder", async () => {
    writeModel("models/linear", { id: "toy", gates: lax, offset: 9 });
    expect(await ended()).toMatch(/its folder holds toy now.*`formerly: linear` in the model.yaml of toy/);
  });

  it("another model in its place in sluice.yaml", async () => {
    other("models/toy", { id: "toy", gates: lax, offset: 9 });
    configure("models: [models/toy]");
    expect(await ended()).toMatch(/^linear is gated at the base/);
  });

  it("two that claim it", async () => {
    other("models/a", { id: "a", formerly: "linear" });
    other("models/b", { id: "b", formerly: "linear" });
    configure("models: [models/a, models/b]");
    expect(await ended()).toMatch(/a in models\/a and b in models\/b both continue linear/);
  });

  it("one that says it was another, while both are there", async () => {
    other();
    configure("models: [models/linear, models/other]");
    commit("two models");
    // `other` cannot take over the lighter exam of a model that is dropped for it.
    writeModel("models/other", { id: "other", formerly: "linear", version: "1.2.0" });
    configure("models: [models/other]");
    const { verdict } = await gateOf(team.dir);
    expect(verdict.models.map(({ model, verdict: word }) => [model.id, word])).toEqual([
      ["other", "PASS"],
      ["linear", "INCOMPARABLE"],
    ]);
  });

  it("a provider that answers for it elsewhere", async () => {
    other();
    configure("models: [models/other, models/remote]");
    mkdirSync(join(team.dir, "models/remote"));
    writeFileSync(
      join(team.dir, "models/remote/model.yaml"),
      stringify({
        schemaVersion: 1,
        id: "linear",
        version: "2.0.0",
        task: "text-generation",
        backend: "hf-inference",
        model: "org/model",
        prompt: { template: "{{text}}" },
        inputs: { text: { type: "text" } },
      }),
    );
    expect(await ended()).toMatch(/^linear is gated at the base/);
  });

  it("a second folder of the same name takes no model's place in its own gate", async () => {
    other("decoys/linear", { id: "decoy", gates: lax });
    configure("models: [decoys/linear, models/linear]");
    team.model({ offset: 1.5 });
    const judged = async (name: string) =>
      (await gateOf(team.dir, { models: [name] })).verdict.models.map(({ model, verdict }) => [model.id, verdict]);
    expect(await judged("linear")).toEqual([
      ["decoy", "PASS"],
      ["linear", "FAIL"],
    ]);
    expect(await judged("models/linear/")).toEqual([["linear", "FAIL"]]);
  });

  it("and a job of a matrix that is about it alone says so too", async () => {
    other();
    configure("models: [models/other]");
    const { verdict } = await gateOf(team.dir, { models: ["linear"] });
    expect(verdict.models.map(({ model, verdict: word }) => [model.id, word])).toEqual([["linear", "INCOMPARABLE"]]);
  });
});

describe("a model is given up in two steps", () => {
  it("announced, green and named; then taken out", async () => {
    other();
    configure("models: [models/linear, models/other]");
    commit("two models");
    configure("models: [models/linear, models/other]\nretired: [linear]");
    const announced = (await gateOf(team.dir)).verdict;
    expect(announced.verdict).toBe("PASS");
    expect(announced.models.flatMap(({ notes }) => notes).join("\n")).toMatch(
      /This change retires linear: once it is merged/,
    );
    // Both at once is not enough.
    configure("models: [models/other]\nretired: [linear]");
    expect((await gateOf(team.dir)).verdict.verdict).toBe("INCOMPARABLE");
    configure("models: [models/linear, models/other]\nretired: [linear]");
    commit("linear is retired");
    configure("models: [models/other]\nretired: [linear]");
    const removed = (await gateOf(team.dir)).verdict;
    expect(removed.verdict).toBe("PASS");
    expect(removed.models[0]?.notes.join("\n")).toMatch(/takes out linear, which the base branch has retired/);
  });

  it("but a toy of the same id is no retirement", async () => {
    configure("models: [models/linear]\nretired: [linear]");
    commit("linear is retired");
    team.model({ offset: 3, gates: lax });
    expect(await verdictOn(team.dir)).toMatchObject({ verdict: "FAIL" });
  });

  it("a model that the base branch got after the branch point is not missing", async () => {
    team.git("checkout", "-qb", "topic");
    commit("a candidate");
    team.git("checkout", "-q", "main");
    other();
    configure("models: [models/linear, models/other]");
    commit("another model on main");
    team.git("checkout", "-q", "topic");
    const ref = team.git("merge-base", "main", "topic").trim();
    const { verdict } = await gateOf(team.dir, { baseline: { ref }, policyRef: "main" });
    expect(verdict.models.map(({ model, verdict: word }) => [model.id, word])).toEqual([["linear", "PASS"]]);
  });
});

describe("the models that a change touches", () => {
  const touched = async () => {
    commit("the change");
    const text = { models: ["models/linear"], schemaVersion: 1 as const };
    const given = team.git("show", "HEAD:sluice.yaml").includes("other") ? { ...text, models: ["models/other"] } : text;
    return modelsToGate(
      configuration.parse(given),
      "sluice.yaml",
      [],
      { ref: "HEAD~1", production: true },
      team.dir,
      gitIn(team.dir, process.env),
    );
  };

  it("hold those that it takes out", async () => {
    other();
    configure("models: [models/other]");
    rmSync(join(team.dir, "models/linear"), { recursive: true });
    expect((await touched()).models).toEqual(["models/other", "models/linear"]);
  });

  it("hold those whose data lies elsewhere, also where only the base says so", async () => {
    const dataset = { ...linearManifest().dataset!, files: [{ path: "../../data/rows.jsonl" }] };
    team.model({ dataset });
    team.write("data/rows.jsonl", team.git("show", "HEAD:models/linear/data/rows.jsonl"));
    commit("shared data");
    team.write("unrelated.txt", "x");
    expect((await touched()).models).toEqual([]);
    team.write("data/rows.jsonl", "");
    expect((await touched()).models).toEqual(["models/linear"]);
  });
});
