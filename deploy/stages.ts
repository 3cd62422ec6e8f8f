import type { Runtime } from "./hub/space.ts";
import type { Settings } from "./hub/settings.ts";

/** What has been seen of the Space so far on its way to one revision. Times in milliseconds. */
export type Sighting = {
  commit: string;
  runtime: Runtime;
  /** Time since the commit, or since the last requested restart. */
  sinceStartMs: number;
  /** Time since the stage or the revision last changed. */
  unchangedMs: number;
  /** Whether a build was seen since the commit or the restart. */
  sawBuild: boolean;
  /** Time since the end of the build was seen; null before that. */
  sinceBuiltMs: number | null;
  woken: boolean;
  restarts: 0 | 1 | 2;
  /** False once the Hub has said that this token may not restart the Space. Then we can only wait. */
  mayRestart: boolean;
};

export type NextStep =
  | { do: "go" }
  | { do: "wait" }
  | { do: "wake"; why: string }
  | { do: "restart"; factory: boolean; why: string }
  | { do: "fail"; code: string; why: string };

const building = /^(RUNNING_)?BUILDING$/;
const starting = /^(RUNNING_)?APP_STARTING$/;
const failedStages: Readonly<Record<string, string>> = {
  NO_APP_FILE: "the Hub finds no Dockerfile",
  CONFIG_ERROR: "the Hub refuses the README's front matter",
  BUILD_ERROR: "the image does not build",
  RUNTIME_ERROR: "the app does not run",
};

/**
 * Decides what to do next. The stage RUNNING alone is not enough, because only runtime.sha says which revision serves.
 * Pure.
 */
export function nextStep(seen: Sighting, settings: Settings): NextStep {
  const {
    runtime: { stage, sha, errorMessage },
    commit,
  } = seen;
  const ours = sha === commit;
  if (stage === "RUNNING" && ours) return { do: "go" };
  if (stage === "PAUSED")
    return { do: "fail", code: "paused", why: "the Space is paused, and only its owner can unpause it" };
  if (stage === "DELETING") return { do: "fail", code: "deleting", why: "the Space is being deleted" };

  const words = failedStages[stage];
  if (words !== undefined) {
    const why = `${words} (${stage}${errorMessage === null ? "" : `: ${errorMessage}`})`;
    // An error right after the commit may still be the old revision's.
    if (ours || seen.sawBuild || seen.unchangedMs >= settings["settle-after"])
      return { do: "fail", code: stage.toLowerCase().replaceAll("_", "-"), why };
    return { do: "wait" };
  }
  if (stage === "SLEEPING" || stage === "STOPPED") {
    if (!seen.woken && seen.mayRestart) return { do: "wake", why: `the Space is ${stage.toLowerCase()}` };
  }
  if (stage === "RUNNING" && seen.mayRestart && seen.unchangedMs >= settings["stall-after"]) {
    const why = `the Space still runs ${sha?.slice(0, 7) ?? "an unknown revision"}, not ${commit.slice(0, 7)}`;
    if (seen.restarts === 0) return { do: "restart", factory: false, why };
    if (seen.restarts === 1) return { do: "restart", factory: true, why };
    return { do: "fail", code: "stalled", why: `${why}, after a restart and a factory rebuild` };
  }
  if (seen.sinceBuiltMs !== null && starting.test(stage)) {
    if (seen.sinceBuiltMs >= settings["start-timeout"])
      return {
        do: "fail",
        code: "start-timeout",
        why: `our revision did not start within ${settings["start-timeout"] / 1000} s (${stage})`,
      };
    return { do: "wait" };
  }
  if (seen.sinceStartMs >= settings["build-timeout"])
    return {
      do: "fail",
      code: "build-timeout",
      why: `our revision was not built within ${settings["build-timeout"] / 1000} s (${stage}${sha === null ? "" : `, serving ${sha.slice(0, 7)}`})`,
    };
  return { do: "wait" };
}

export function isBuilding(stage: string): boolean {
  return building.test(stage);
}

export function isStarting(stage: string): boolean {
  return starting.test(stage);
}
