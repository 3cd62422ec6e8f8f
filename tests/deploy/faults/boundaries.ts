import type { Stage } from "../stage.ts";

/**
 * What is deployed when the fault occurs. plain: a good version, signed in with a token. trusted: the same by trusted
 * publishing. large: the same with weights that go to a model repository. broken: a version that does not build and is
 * rolled back.
 */
export const scenarios = ["plain", "trusted", "large", "broken"] as const;
export type Scenario = (typeof scenarios)[number];

/** One network request of a deployment: the n-th of its kind to a server. */
export type Boundary = {
  scenario: Scenario;
  server: "hub" | "github" | "app";
  method: string;
  route: string;
  nth: number;
};

export const kinds = ["error", "hang", "reset-before", "reset-after", "kill-before", "kill-after"] as const;
export type Kind = (typeof kinds)[number];

/** The kinds of fault that differ at a boundary. A read has no effect, so for it "before" and "after" are the same. */
export function kindsAt({ server, method, route }: Boundary): readonly Kind[] {
  const reads =
    server === "app" || method === "GET" || /\/(preupload\/main|paths-info\/\{sha\}|objects\/batch)$/.test(route);
  return reads ? ["error", "hang", "reset-before", "kill-before"] : kinds;
}

export const nameOf = ({ scenario, server, method, route, nth }: Boundary): string =>
  `${scenario === "plain" ? "" : `${scenario}: `}${server} ${method} ${route}${nth === 1 ? "" : ` (${nth})`}`;

/** Replaces the parts of a path that differ from run to run. */
function routeOf(path: string): string {
  return path
    .replaceAll(/[0-9a-f]{40}/g, "{sha}")
    .replaceAll(/\/births\/[0-9a-f]{16}\//g, "/births/{id}/")
    .replaceAll(/lfs-upload\/[0-9a-f]+/g, "lfs-upload/{id}")
    .replaceAll(/deployments\/\d+/g, "deployments/{id}");
}

function patternOf(route: string): RegExp {
  return new RegExp(
    `^${route
      .split(/\{sha\}|\{id\}/)
      .map((part) => part.replaceAll(/[.*+?^$()|[\]\\{}]/g, "\\$&"))
      .join("[0-9a-f]+")}$`,
  );
}

/** Every boundary that a run crossed. Of repeated requests (polls, timed predictions) only the first few count. */
export function boundariesOf(
  scenario: Scenario,
  stage: Stage,
  from: { hub: number; github: number; app: number },
  maxPerKind = 2,
): Boundary[] {
  const found: Boundary[] = [];
  const counts = new Map<string, number>();
  const add = (server: Boundary["server"], method: string, path: string) => {
    const route = routeOf(path.split("?", 1)[0]!);
    const key = `${server} ${method} ${route}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    if (nth <= maxPerKind) found.push({ scenario, server, method, route, nth });
  };
  for (const { method, path } of stage.hub.transcript.slice(from.hub)) add("hub", method, path);
  for (const { method, path } of stage.github.transcript.slice(from.github)) add("github", method, path);
  for (const { method, path } of stage.hub.probes.slice(from.app)) add("app", method, path);
  return found;
}

/**
 * Injects a fault into a stage: the boundary fails when the deployment reaches it. `error` lasts for the whole run, the
 * other kinds occur once. @returns whether the deployment ever reached it
 */
export function arm(stage: Stage, { server, method, route, nth }: Boundary, kind: Kind): { met: () => boolean } {
  const path = patternOf(route);
  const kill = () => {
    stage.child?.kill("SIGKILL");
  };
  const [skip, times] = [nth - 1, kind === "error" ? 1000 : 1];
  if (server === "github") {
    const does = {
      error: { kind: "answer", status: 500, message: "Server Error" },
      hang: { kind: "hang" },
      "reset-before": { kind: "reset" },
      "reset-after": { kind: "accept-then-reset" },
      "kill-before": { kind: "reset" },
      "kill-after": { kind: "accept-then", run: kill },
    } as const;
    const rule = { method, path, skip, times, does: does[kind] };
    stage.github.state.faults.push(kind === "kill-before" ? killing(rule, kill) : rule);
    return { met: () => rule.times < times };
  }
  const fault = {
    error: { kind: "status", status: 500, effect: false },
    hang: { kind: "hang", effect: true },
    "reset-before": { kind: "reset", effect: false },
    "reset-after": { kind: "reset", effect: true },
    "kill-before": { kind: "before", run: kill, silent: true },
    "kill-after": { kind: "then", run: kill },
  } as const;
  const rule = { method, path, skip, times, fault: fault[kind] };
  (server === "hub" ? stage.hub.faults : stage.hub.appFaults).push(rule);
  return { met: () => rule.times < times };
}

/** The process is killed when this rule is used up, before the stand-in processes the request any further. */
function killing<Rule extends { times: number }>(rule: Rule, kill: () => void): Rule {
  let left = rule.times;
  return Object.defineProperty(rule, "times", {
    get: () => left,
    set: (value: number) => {
      left = value;
      kill();
    },
  });
}

export function disarm(stage: Stage): void {
  for (const rules of [stage.github.state.faults, stage.hub.faults, stage.hub.appFaults]) rules.length = 0;
}
