import assert from "node:assert/strict";
import { pushTo } from "../github/stories.ts";
import type { Files } from "./repository.ts";
import { team, type Scene } from "./scene.ts";
import { improved, type System } from "./systems.ts";
import { spaces } from "./team.ts";

type Id = keyof typeof spaces;
export const production = ({ id }: Pick<System, "id">): string => spaces[id as Id].production;
export const staging = ({ id }: Pick<System, "id">): string => spaces[id as Id].staging;

/** Removes the approval: after a merge, a passing model goes to production at once. */
export function straightToProduction({ github }: Scene, { id }: System): void {
  github.setVariable(team, "SLUICE_DEPLOY_AFTER_MERGE", "production");
  github.setVariable(team, "SLUICE_PROMOTE_AFTER_MERGE", "");
  github.createEnvironment(team, `${id}-production`);
}

/** Pushes a version of a system to main as the owner; resolves when production serves it and it is proved. */
export async function release(scene: Scene, system: System, version: string, files: Files): Promise<void> {
  straightToProduction(scene, system);
  const sha = await pushTo(scene.github, {
    repository: team,
    branch: "main",
    files,
    message: `${system.id} ${version}`,
    by: "acme",
  });
  await scene.github.settled();
  const gate = scene.runsOf("gate.yml", sha).at(-1);
  assert.equal(gate?.conclusion, "success", gate === undefined ? "the gate did not start" : scene.logs(gate));
  const deploy = scene.runsOf("deploy.yml", sha).at(-1);
  assert.equal(deploy?.conclusion, "success", deploy === undefined ? "nothing was deployed" : scene.logs(deploy));
  assert.equal(await scene.serves(production(system)), version);
}

/** The version that production serves. If it serves nothing yet, the improved version is released first. */
export async function servedVersion(scene: Scene, system: System): Promise<string> {
  if ((await scene.serves(production(system))) === null)
    await release(scene, system, "1.1.0", improved(system, "1.1.0"));
  return (await scene.serves(production(system))) as string;
}

type DeploymentOfOurs = { id: number; kind: string; version: string; states: string[] };

/** Our Deployments of a system to production, oldest first, with their successive states. */
export async function deploymentsOf(scene: Scene, { id: model }: System): Promise<DeploymentOfOurs[]> {
  const found = await scene.ask<{ id: number; payload: { kind: string; model: { version: string } } }[]>(
    `deployments?task=sluice&environment=${model}-production&per_page=100`,
  );
  return await Promise.all(
    found.toReversed().map(
      async ({
        id,
        payload: {
          kind,
          model: { version },
        },
      }) => {
        const statuses = await scene.ask<{ state: string }[]>(`deployments/${id}/statuses?per_page=100`);
        const states = statuses.toReversed().map(({ state }) => state);
        // A status that was added only for its description, such as where a card is, repeats the previous state.
        return { id, kind, version, states: states.filter((state, i) => state !== states[i - 1]) };
      },
    ),
  );
}

/** The titles of the commits in production's Space, oldest first. */
export const commitsOf = (scene: Scene, system: System): string[] =>
  scene.hubs
    .of(production(system))
    .space.repository.log()
    .map(({ title }) => title)
    .toReversed();
