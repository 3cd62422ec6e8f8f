import { DeployFailure } from "./hub/failure.ts";
import type { Http, HttpDeps } from "./hub/http.ts";
import { HttpRefusal, NoAnswer } from "./hub/http.ts";
import { followLog, type LogStream } from "./hub/log-stream.ts";
import type { Runtime, Space } from "./hub/space.ts";
import type { Settings } from "./hub/settings.ts";
import { isBuilding, isStarting, nextStep } from "./stages.ts";

type WaitDeps = HttpDeps & {
  http: Http;
  now: () => number;
  /** Called when the stage or the revision changes. */
  onStage: (text: string) => void;
  /** Called with every line of the build's log. */
  onLog: (line: string) => void;
};

/**
 * Waits until the Space runs one revision: stage RUNNING and runtime.sha equal to the commit. If the Space sleeps, it
 * is woken once; if it stalls, it is restarted once and rebuilt once.
 *
 * @returns the runtime that serves the commit
 * @throws DeployFailure with the last lines of the log that explains why
 */
export async function waitForRevision(
  commit: string,
  space: Space,
  settings: Settings,
  deps: WaitDeps,
): Promise<Runtime> {
  let began = deps.now();
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
      const runtime = await currentRuntime(space, began, settings, deps);
      const now = deps.now();
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
        deps.note(`${next.why}; ${factory ? "asking for a factory rebuild" : "restarting it"}`);
        mayRestart = (await tryRestart(space, factory, deps)) !== "denied";
        if (!mayRestart) continue;
        if (next.do === "wake") woken = true;
        else restarts = factory ? 2 : 1;
        changedAt = began = deps.now();
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

/** The Hub may be unreachable for a while; the Space keeps building. */
async function currentRuntime(space: Space, began: number, settings: Settings, deps: WaitDeps): Promise<Runtime> {
  for (;;) {
    try {
      return await space.runtime();
    } catch (error) {
      deps.signal.throwIfAborted();
      const transient =
        error instanceof NoAnswer || (error instanceof HttpRefusal && (error.status >= 500 || error.status === 429));
      if (!transient || deps.now() - began >= settings["build-timeout"]) throw error;
      deps.note(`${error.message}; the Space is looked at again`);
      await deps.sleep(settings["poll-interval"], deps.signal);
    }
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
