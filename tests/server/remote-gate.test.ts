import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { root, temporaryFolder } from "./harness.ts";

const sluice = (cwd: string, ...args: string[]) => spawnSync(join(root, "node_modules/node/bin/node"), [join(root, "cli.ts"), ...args], { cwd, encoding: "utf8", timeout: 120_000, env: { PATH: process.env["PATH"] ?? "" } });

it("a remote model is refused by the gate with words when it is asked for, and left out with a note beside others", () => {
  const dir = temporaryFolder();
  cpSync(join(root, "models/births"), join(dir, "models/births"), { recursive: true, filter: (path) => !/\/(train|production)$/.test(path) });
  mkdirSync(join(dir, "models/reply"));
  writeFileSync(join(dir, "models/reply/model.yaml"), stringify({ schemaVersion: 1, id: "reply", version: "1.0.0", task: "text-generation", backend: "hf-inference", model: "some-org/some-model", inputs: { text: { type: "text" } }, prompt: { template: "{{text}}" }, pair: { model: "births" } }));
  writeFileSync(join(dir, "sluice.yaml"), stringify({ schemaVersion: 1, models: ["models/births", "models/reply"] }));
  const named = sluice(dir, "gate", "reply", "--baseline", "none");
  expect(named.status).toBe(2);
  expect(named.stderr).toMatch(/model\.yaml:5:1 backend: the model reply has no artifact: a remote provider answers for it[\s\S]*only that can be measured/);
  const beside = sluice(dir, "plan", "--json");
  expect(beside.stderr).toContain("not gated, because a remote provider answers for them: reply");
  expect((JSON.parse(beside.stdout) as { models: { model: { id: string } }[] }).models).toHaveLength(1);
});
