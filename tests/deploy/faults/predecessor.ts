import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stage, type DeployAction } from "../stage.ts";

/** Makes a folder with a tree of births 1.0.0, which `seed` can put into a Space. */
export async function makePredecessor(action: DeployAction): Promise<{ dir: string; remove: () => void }> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-predecessor-"));
  const stage = await Stage.open(action);
  stage.repository.release("1.0.0", "production");
  const { code, log } = await stage.deploy({ space: "none", bundle: join(dir, "tree") });
  await stage.close();
  if (code !== 0) throw new Error(log);
  return {
    dir,
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
