import type { Repository, World } from "./world.ts";

const emptyTree = { tree: [] };
const who = { name: "shadow", email: "shadow@example.org", date: "2026-01-01T00:00:00Z" };

/**
 * The emulator has commits of its own; the real ones are in the bare repository. Each real commit that the emulator
 * must know (heads of pull requests, commits with check runs) gets one of the emulator's commits as its shadow, and
 * answers are translated.
 */
export async function shadowOf(world: World, repository: Repository, sha: string): Promise<string> {
  const known = repository.shadows.of.get(sha);
  if (known !== undefined) return known;
  const api = `/repos/${repository.fullName}/git`;
  const { sha: tree } = await world.emulate.must<{ sha: string }>(repository.owner, "POST", `${api}/trees`, emptyTree);
  const made = await world.emulate.must<{ sha: string }>(repository.owner, "POST", `${api}/commits`, {
    message: sha,
    tree,
    parents: [],
    author: who,
    committer: who,
  });
  linkShadow(repository, sha, made.sha);
  return made.sha;
}

/** Records that the emulator's commit `shadow` stands for the real commit `sha`. */
export function linkShadow({ shadows }: Repository, sha: string, shadow: string): void {
  shadows.of.set(sha, shadow);
  shadows.real.set(shadow, sha);
}

export const realOf = ({ shadows }: Repository, shadow: string): string => shadows.real.get(shadow) ?? shadow;
