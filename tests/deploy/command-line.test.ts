import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, it } from "vitest";
import { deployedSchema } from "../../deploy/bundle/deployed.ts";
import { sluice } from "../cli/sluice.ts";
import { fast, Stage, tokens, unpackDeployAction, type DeployAction } from "./stage.ts";

let action: DeployAction;
beforeAll(async () => {
  action = await unpackDeployAction();
});
afterAll(() => {
  action.remove();
});

it("the command line deploys, tells the history, rolls back, locks and unlocks", async ({ expect, onTestFinished }) => {
  const stage = await Stage.open(action);
  onTestFinished(() => stage.finish());
  const shown: string[] = [];
  const run = async (...args: string[]) => {
    const done = await sluice(stage.repository.dir, args, {
      HF_ENDPOINT: stage.hub.url,
      HF_TOKEN: tokens.hub,
      GITHUB_TOKEN: tokens.github,
      GITHUB_API_URL: stage.github.url,
      GITHUB_REPOSITORY: "octo/models",
    });
    shown.push(done.stdout, done.stderr);
    return done;
  };
  const quick = fast.split(" ").flatMap((setting) => ["--set", setting]);

  stage.repository.release("1.0.0", "production");
  const without = await run("rollback", "births", ...quick);
  expect(without.stderr).toContain("no earlier version is known to have been proved here");
  expect(without.code).toBe(2);
  const tree = await run("deploy", "births", "--bundle", "out/tree");
  expect(tree.stderr).toContain("tree: ");
  expect(tree.code).toBe(0);
  for (const file of [
    "Dockerfile",
    "README.md",
    "server/main.js",
    "ui/index.html",
    "models/births/model.onnx",
    "golden.json",
    "package-lock.json",
  ])
    expect(existsSync(join(stage.repository.dir, "out/tree", file)), file).toBe(true);
  const deployed = deployedSchema.parse(
    JSON.parse(readFileSync(join(stage.repository.dir, "out/tree/deployment.json"), "utf8")),
  );
  expect(deployed).toMatchObject({
    model: { id: "births", version: "1.0.0" },
    source: { repository: "octo/models", commit: stage.repository.commit() },
  });
  expect(readFileSync(join(stage.repository.dir, "out/tree/README.md"), "utf8")).toMatch(
    /^---\ntitle: births\n[\s\S]*sdk: docker\napp_port: 7860\n/,
  );
  expect(stage.commits()).toEqual([]);

  expect((await run("deploy", "births", ...quick)).code).toBe(0);
  const made = [stage.repository.commit()];
  stage.repository.release("1.1.0", "candidate");
  made.push(stage.repository.commit());
  const second = await run("deploy", "births", "--json", "--reason", "better on holidays", ...quick);
  expect(second.code).toBe(0);
  expect(JSON.parse(second.stdout)).toMatchObject({
    outcome: "live",
    deployed: { model: { version: "1.1.0" } },
    environment: "births-production",
  });
  expect(await stage.serves()).toBe("1.1.0");

  const history = await run("history", "births");
  expect(history.stdout).toMatch(/births: 2 versions\n {2}1\.1\.0 .*live in births-production\n {2}1\.0\.0 /);
  expect(history.stdout).toContain("better on holidays");

  const planned = await run("rollback", "births", "--dry-run", ...quick);
  expect(planned.stdout).toMatch(
    /^back to births 1\.0\.0 on octo\/births \(\w{7}, GitHub Deployment \d+\)\ncommit once on top of \w{7}: 1 large files by name/,
  );
  expect(planned.code).toBe(0);
  expect(await stage.serves()).toBe("1.1.0");

  const back = await run("rollback", "births", "--reason", "wrong on leap days", ...quick);
  expect(back.stdout).toMatch(/^births 1\.0\.0 is live at http:\S+: rolled back to 1\.0\.0, proved$/m);
  expect(back.code).toBe(0);
  expect(await stage.serves()).toBe("1.0.0");
  // The baseline of later candidates is what production serves, each version at its own commit.
  expect(stage.inProduction()).toEqual([`1.0.0 of ${made[0]}`, `1.1.0 of ${made[1]}`, `1.0.0 of ${made[0]}`]);
  // What was rolled back from is not what was there before.
  const again = await run("rollback", "births", "--dry-run", ...quick);
  expect(again.stderr).toContain("no earlier version is known to have been proved here");
  expect(again.code).toBe(2);
  const forth = await run("rollback", "births", "--to", "1.1.0", "--json", ...quick);
  expect(JSON.parse(forth.stdout)).toMatchObject({ outcome: "live", rolledBackTo: { version: "1.1.0" } });
  expect(await stage.serves()).toBe("1.1.0");
  const never = await run("rollback", "births", "--to", "7.0.0", ...quick);
  expect(never.stderr).toContain("births 7.0.0 was never proved here");
  expect(never.code).toBe(2);

  expect((await run("lock", "births-production", "--reason", "incident 12")).code).toBe(0);
  const twice = await run("lock", "births-production", "--reason", "incident 13");
  expect(twice.stderr).toContain("incident 12");
  expect(twice.code).toBe(1);
  const locked = await run("deploy", "births", ...quick);
  expect(locked.stderr).toContain("incident 12");
  expect(locked.code).toBe(1);
  expect((await run("lock", "births-production")).stdout).toContain("incident 12");
  expect((await run("unlock", "births-production")).stdout).toBe("births-production: unlocked\n");
  expect((await run("unlock", "births-production")).stdout).toBe("births-production: was not locked\n");

  const misspelt = [
    await run("lock", "brith-production"),
    await run("history", "brith"),
    await run("deploy", "births", "--environment", "Production"),
  ];
  expect(misspelt.map(({ code }) => code)).toEqual([2, 2, 2]);
  expect(misspelt.map(({ stderr }) => stderr).join("")).toMatch(
    /births-STAGE[\s\S]*no model brith[\s\S]*a stage in lower case/,
  );

  expect(stage.commits()).toEqual([
    "Deploy births 1.0.0",
    "Deploy births 1.1.0",
    "Restore births 1.0.0",
    "Restore births 1.1.0",
  ]);
  for (const token of Object.values(tokens)) expect(shown.join("\n")).not.toContain(token);
}, 300_000);
