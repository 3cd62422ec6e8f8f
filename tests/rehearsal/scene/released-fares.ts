import assert from "node:assert/strict";
import { pushTo } from "../github/stories.ts";
import { fareModel } from "./fares.ts";
import { team, type Scene } from "./scene.ts";
import { quality } from "./team.ts";

export const production = "acme/fares";

/** A version of fares; the smaller `centre`, the better it is. */
export const fares = (version: string, centre: number) => fareModel({ id: "fares", version, wrong: { airport: 0.02, centre }, checks: quality });

/** After a merge, what passed goes to production at once; nobody has to approve. */
export function straightToProduction({ github }: Scene): void {
  github.setVariable(team, "SLUICE_DEPLOY_AFTER_MERGE", "production");
  github.setVariable(team, "SLUICE_PROMOTE_AFTER_MERGE", "");
  github.createEnvironment(team, "fares-production");
}

/** The owner pushes a version of fares to main; resolves when production serves it, proved. */
export async function release(scene: Scene, version: string, centre: number): Promise<void> {
  straightToProduction(scene);
  const sha = await pushTo(scene.github, { repository: team, branch: "main", files: fares(version, centre), message: `fares ${version}`, by: "acme" });
  await scene.github.settled();
  const deploy = scene.runsOf("deploy.yml", sha).at(-1);
  assert.equal(deploy?.conclusion, "success", deploy === undefined ? "nothing was deployed" : scene.logs(deploy));
  assert.equal(await scene.serves(production), version);
}

/** What production serves; a first version is released where it serves nothing yet. */
export async function servedVersion(scene: Scene): Promise<string> {
  if (await scene.serves(production) === null) await release(scene, "1.1.0", 0.045);
  return await scene.serves(production) as string;
}

export type DeploymentOfOurs = { id: number; kind: string; version: string; states: string[] };

/** Our Deployments of fares to production, oldest first, each with the states that it went through. */
export async function deploymentsOfFares(scene: Scene): Promise<DeploymentOfOurs[]> {
  const found = await scene.ask<{ id: number; payload: { kind: string; model: { version: string } } }[]>("deployments?task=sluice&environment=fares-production&per_page=100");
  return await Promise.all(found.toReversed().map(async ({ id, payload: { kind, model } }) => {
    const statuses = await scene.ask<{ state: string }[]>(`deployments/${id}/statuses?per_page=100`);
    const states = statuses.toReversed().map(({ state }) => state);
    // A status that only carries words, such as where a card is, repeats the state before it.
    return { id, kind, version: model.version, states: states.filter((state, i) => state !== states[i - 1]) };
  }));
}

/** Titles of the commits that production's Space holds, oldest first. */
export const commitsOf = (scene: Scene): string[] => scene.hubs.of(production).space.repository.log().map(({ title }) => title).toReversed();
