import { renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { gate } from "./run.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

function moveBehindLink(path: string, to: string): void {
  renameSync(join(team.dir, path), join(team.dir, to));
  symlinkSync(join(team.dir, to), join(team.dir, path));
}

it.each([
  ["its folder", "models/linear", "other"],
  ["a folder above it", "models", "others"],
  ["its model.yaml", "models/linear/model.yaml", "models/linear/other.yaml"],
])("a model is refused when %s is a symbolic link", async (_, path, to) => {
  moveBehindLink(path, to);
  await expect(gate(team)).rejects.toMatchObject({
    name: "ConfigurationError",
    code: "model-link",
    diagnostic: {
      place: "sluice.yaml models.0",
      received: `${path}, a symbolic link to ${to}${path === "models" ? "/linear/model.yaml" : path === "models/linear" ? "/model.yaml" : ""}`,
    },
  });
});

it("data behind a link is refused with the line of model.yaml", async () => {
  moveBehindLink("models/linear/data/rows.jsonl", "rows.jsonl");
  const { verdict } = await gate(team);
  expect(verdict.verdict).toBe("ERROR");
  expect(verdict.models[0]?.reason).toMatch(
    /models\/linear\/model\.yaml:\d+:\d+ dataset\.files.*symbolic link[^]*example: +path: \.\.\/\.\.\/rows\.jsonl/,
  );
});
