import type { Stage } from "../stage.ts";

/** One place where a deployment crosses the network: the n-th request of its kind to a server. */
export type Boundary = { server: "hub" | "github" | "app"; method: string; route: string; nth: number };

export const kinds = ["error", "hang", "reset-before", "reset-after", "kill"] as const;
export type Kind = (typeof kinds)[number];

export const nameOf = ({ server, method, route, nth }: Boundary): string => `${server} ${method} ${route}${nth === 1 ? "" : ` (${nth})`}`;

/** What differs from run to run in a path. */
function routeOf(path: string): string {
  return path.replaceAll(/[0-9a-f]{40}/g, "{sha}").replaceAll(/lfs-upload\/[0-9a-f]+/g, "lfs-upload/{id}").replaceAll(/deployments\/\d+/g, "deployments/{id}");
}

function patternOf(route: string): RegExp {
  return new RegExp(`^${route.split(/\{sha\}|\{id\}/).map((part) => part.replaceAll(/[.*+?^$()|[\]\\{}]/g, "\\$&")).join("[0-9a-f]+")}$`);
}

/** Every boundary that a run went over. Of requests that are repeated (polls, timed predictions) the first few count. */
export function boundariesOf(stage: Stage, from: { hub: number; github: number; app: number }, mostOfAKind = 2): Boundary[] {
  const found: Boundary[] = [];
  const counts = new Map<string, number>();
  const add = (server: Boundary["server"], method: string, path: string) => {
    const route = routeOf(path.split("?", 1)[0]!);
    const key = `${server} ${method} ${route}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    if (nth <= mostOfAKind) found.push({ server, method, route, nth });
  };
  for (const { method, path } of stage.hub.transcript.slice(from.hub)) add("hub", method, path);
  for (const { method, path } of stage.github.transcript.slice(from.github)) add("github", method, path);
  for (const { method, path } of stage.hub.probes.slice(from.app)) add("app", method, path);
  return found;
}

/** Arms a stage: the boundary fails so when the deployment comes to it. `error` lasts for the whole run, the others happen once. @returns whether the deployment ever came there */
export function arm(stage: Stage, { server, method, route, nth }: Boundary, kind: Kind): { met: () => boolean } {
  const path = patternOf(route);
  const kill = () => { stage.child?.kill("SIGKILL"); };
  const [skip, times] = [nth - 1, kind === "error" ? 1000 : 1];
  if (server === "github") {
    const does = { error: { kind: "answer", status: 500, message: "Server Error" }, hang: { kind: "hang" }, "reset-before": { kind: "reset" }, "reset-after": { kind: "accept-then-reset" }, kill: { kind: "accept-then", run: kill } } as const;
    const rule = { method, path, skip, times, does: does[kind] };
    stage.github.state.faults.push(rule);
    return { met: () => rule.times < times };
  }
  const fault = { error: { kind: "status", status: 500, effect: false }, hang: { kind: "hang", effect: true }, "reset-before": { kind: "reset", effect: false }, "reset-after": { kind: "reset", effect: true }, kill: { kind: "then", run: kill } } as const;
  const rule = { method, path, skip, times, fault: fault[kind] };
  (server === "hub" ? stage.hub.faults : stage.hub.appFaults).push(rule);
  return { met: () => rule.times < times };
}

export function disarm(stage: Stage): void {
  for (const rules of [stage.github.state.faults, stage.hub.faults, stage.hub.appFaults]) rules.length = 0;
}
