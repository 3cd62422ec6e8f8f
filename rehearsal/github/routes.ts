import { checkRoutes } from "./checks.ts";
import { deploymentRoutes } from "./deployments.ts";
import { environmentRoutes } from "./environments.ts";
import { raiseMerge, raisePull, raisePush } from "./events.ts";
import { gitRoutes } from "./git-routes.ts";
import { hookRoutes } from "./hooks.ts";
import { issueRoutes } from "./issues.ts";
import { movePull, pullRoutes } from "./pulls.ts";
import { repositoryRoutes } from "./repositories.ts";
import { runRoutes } from "./runs.ts";
import { botLogin } from "./tokens.ts";
import type { Routes, World } from "./world.ts";

/** All routes below /repos/OWNER/NAME that this GitHub supports. */
export const allRoutes = (world: World): Routes[] => [
  repositoryRoutes,
  hookRoutes,
  environmentRoutes,
  deploymentRoutes,
  issueRoutes,
  checkRoutes,
  runRoutes,
  pullRoutes({
    opened: (repository, pull, by) => raisePull(world, repository, pull, "opened", by),
    edited: (repository, pull, by, changes) => raisePull(world, repository, pull, "edited", by, { changes }),
    merged: (repository, pull, before, by) => raiseMerge(world, repository, pull, before, by),
  }),
  gitRoutes(async (of, repository, push) => {
    // Changes made with a job's own token start no workflow.
    if (push.by !== botLogin) await raisePush(of, repository, push);
    for (const pull of repository.pulls.values()) {
      if (pull.closed || pull.headRepository !== repository || push.ref !== `refs/heads/${pull.headRef}`) continue;
      await movePull(of, repository, pull, push.after, push.by);
      await raisePull(of, repository, pull, "synchronize", push.by, { before: push.before, after: push.after });
    }
  }),
];
