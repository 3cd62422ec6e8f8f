import { DeployFailure } from "./hub/failure.ts";
import { Overtaken } from "./hub/commit-once.ts";
import type { Http, HttpDeps } from "./hub/http.ts";
import { HttpRefusal } from "./hub/http.ts";
import { followLog, type LogStream } from "./hub/log-stream.ts";
import { untilAnswered } from "./hub/until-answered.ts";
import type { Runtime, Space } from "./hub/space.ts";
import type { Settings } from "./hub/settings.ts";
import { isBuilding, isStarting, nextStep } from "./stages.ts";

/** `before`: where main was before the commit. A replica that lags behind may still say so. */
export type Awaited = { commit: string; before: string | null };

export type WaitDeps = HttpDeps & {
  http: Http;
  /** Called when the stage or the revision changes. */
  onStage: (text: string) => void;
  /** Called with every line of the build's log. */
  onLog: (line: string) => void;
};

/**
 * Waits until the Space runs one revision: stage RUNNING and runtime.sha equal to the commit. If the Space sleeps, it
 * is woken once; if it stalls, it is restarted once and rebuilt once. Main is read before each of these, and at every
 * look: a revision that somebody else has replaced is not waited for.
 *
 * @returns the runtime that serves the commit
 * @throws Overtaken; DeployFailure with the last lines of the log that explains why
 */
export async function waitForRevision(
  awaited: Awaited,
  space: Space,
  settings: Settings,
  deps: WaitDeps,
): Promise<Runtime> {
  const { commit } = awaited;
  let began = deps.monotonic();
  let builtAt: number | null = null;
  let sawBuild = false;
  let woken = false;
  let restarts: 0 | 1 | 2 = 0;
  let mayRestart = true;
  let shown = "";
  let changedAt = began;
  let log: LogStream | null = null;
  try {
    for (;;) {
      const runtime = await lookAt(awaited, space, settings, deps);
      const now = deps.monotonic();
      const view = `${runtime.stage}${runtime.sha === null ? "" : ` ${runtime.sha.slice(0, 7)}`}`;
      if (view !== shown) {
        shown = view;
        changedAt = now;
        deps.onStage(`${view}${runtime.sha === commit ? " (this deployment)" : ""}`);
      }
      if (isBuilding(runtime.stage)) {
        sawBuild = true;
        builtAt = null;
        log ??= followLog(space, "build", deps, deps.onLog);
      }
      if (isStarting(runtime.stage)) {
        sawBuild = true;
        builtAt ??= now;
      }
      const next = nextStep(
        {
          commit,
          runtime,
          sinceStartMs: now - began,
          unchangedMs: now - changedAt,
          sawBuild,
          sinceBuiltMs: builtAt === null ? null : now - builtAt,
          woken,
          restarts,
          mayRestart,
        },
        settings,
      );
      if (next.do === "go") return runtime;
      if (next.do === "fail")
        throw new DeployFailure(next.code, next.why, {
          log: await tailOf(space, runtime.stage === "RUNTIME_ERROR" ? "run" : "build", log, settings, deps),
        });
      if (next.do === "wake" || next.do === "restart") {
        const factory = next.do === "restart" && next.factory;
        await requireOurs(awaited, space, settings, deps);
        deps.note(`${next.why}; ${factory ? "asking for a factory rebuild" : "restarting it"}`);
        mayRestart = (await tryRestart(space, factory, deps)) !== "denied";
        if (!mayRestart) continue;
        if (next.do === "wake") woken = true;
        else restarts = factory ? 2 : 1;
        changedAt = began = deps.monotonic();
        builtAt = null;
        sawBuild = false;
      }
      const pause = Math.max(settings["poll-interval"] * (0.8 + 0.4 * deps.random()), deps.http.paceMs);
      await deps.sleep(pause, deps.signal);
    }
  } finally {
    await log?.stop();
  }
}

/**
 * One look at a Space: whether main is still ours, and what runs. The Hub may be unreachable for a while, or refuse once;
 * the Space keeps building.
 *
 * @throws Overtaken, HttpRefusal, NoAnswer
 */
export function lookAt(awaited: Awaited, space: Space, settings: Settings, deps: WaitDeps): Promise<Runtime> {
  return untilAnswered(
    async () => {
      await requireOurs(awaited, space, settings, deps);
      return space.runtime();
    },
    { outageMs: settings["build-timeout"], refusalMs: settings["settle-after"], pauseMs: settings["poll-interval"] },
    deps,
  );
}

/**
 * Checks that nobody else has committed since. What a look says against it must be said again for a while: replicas of
 * the Hub lag behind.
 *
 * @throws Overtaken
 */
async function requireOurs(
  { commit, before }: Awaited,
  space: Space,
  settings: Settings,
  deps: WaitDeps,
): Promise<void> {
  const since = deps.monotonic();
  for (let look = 1; ; look += 1) {
    const { head } = await space.info();
    if (head === commit) return;
    const waited = deps.monotonic() - since;
    // Where main was before is what a replica that lags says; anything else is somebody's commit.
    if (head === before ? waited >= settings["settle-after"] : look >= 2) throw new Overtaken(space.name, commit, head);
    await deps.sleep(Math.min(settings["poll-interval"], 2000), deps.signal);
  }
}

/**
 * Asks for a restart. Not every token may restart a Space; then there is only waiting.
 *
 * @returns "unclear" when nothing says whether the request arrived
 */
async function tryRestart(space: Space, factory: boolean, deps: WaitDeps): Promise<"asked" | "denied" | "unclear"> {
  try {
    await space.restart(factory);
    return "asked";
  } catch (error) {
    deps.signal.throwIfAborted();
    const denied = error instanceof HttpRefusal && (error.status === 401 || error.status === 403);
    deps.note(
      denied
        ? "this token may not restart the Space; give HF_TOKEN of its owner, or restart it by hand"
        : `the restart was not confirmed: ${(error as Error).message}`,
    );
    return denied ? "denied" : "unclear";
  }
}

/**
 * The last lines of one of the Space's logs, for a failure's message.
 *
 * @param followed the build's log, if it is already being read
 */
export async function tailOf(
  space: Space,
  kind: "build" | "run",
  followed: LogStream | null,
  settings: Settings,
  deps: HttpDeps,
): Promise<string[]> {
  const stream = kind === "build" && followed !== null ? followed : followLog(space, kind, deps, () => {});
  // A log stream never ends by itself, so take what arrives within a short time.
  await deps.sleep(Math.min(2000, settings["request-timeout"] / 4), deps.signal);
  return (await stream.stop()).slice(-settings["log-tail"]);
}
