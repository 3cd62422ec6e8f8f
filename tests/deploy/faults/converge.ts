import { join } from "node:path";
import { Stage, type DeployAction } from "../stage.ts";
import type { Deployed } from "../../../rehearsal/hub/space.ts";
import { arm, disarm, type Boundary, type Kind, type Scenario } from "./boundaries.ts";

export type Outcome = { boundary: Boundary; kind: Kind; first: string; problems: string[] };

/**
 * Only a job that signs in by trusted publishing reaches these. The request for an ID token appears in no transcript.
 */
export const signIn: readonly Boundary[] = [
  { scenario: "trusted", server: "github", method: "GET", route: "/oidc/token", nth: 1 },
  { scenario: "trusted", server: "hub", method: "POST", route: "/oauth/token", nth: 1 },
];

/** The run took another path, for example because a stage was over before it was polled. Such a case proves nothing. */
export const faultNotReached = "the fault was never met";

export function settingsOf(scenario: Scenario): string {
  return scenario === "large" ? "max-weights-bytes=1000" : "";
}

/** Settings for the first run: if a fault lasts for the whole run, there is no point in waiting long for it to pass. */
function shortWaits({ server, route }: Boundary, kind: Kind): string {
  if (kind === "hang") return " request-timeout=3";
  if (kind !== "error") return "";
  if (server === "hub" && /\/(commit|commits|revision)\/main$/.test(route)) return " build-timeout=3";
  return server === "app"
    ? " prove-timeout=3"
    : route.endsWith("/runtime")
      ? " build-timeout=2"
      : route.includes("/resolve/")
        ? " prove-timeout=4"
        : "";
}

/** A stage on which 1.0.0 is live and proved, and 1.1.0 is to be deployed. */
export async function prepared(
  action: DeployAction,
  predecessor: string,
  scenario: Scenario,
  buildMs = 150,
): Promise<Stage> {
  const breaksBuild = (deployed: Deployed) => scenario === "broken" && deployed?.model?.version === "1.1.0";
  const stage = await Stage.open(action, {
    trusted: scenario === "trusted",
    hub: {
      models: { "octo/births": { private: false } },
      multipartBytes: scenario === "large" ? 20_000 : 5_000_000,
      behaviour: { buildMs, breaksBuild },
    },
  });
  await stage.seed(join(predecessor, "tree"));
  stage.repository.release("1.1.0", "candidate");
  return stage;
}

/**
 * Plays one fault, then a later attempt of the same run without any. Checks the state of the world after both.
 *
 * After the first run: either the new version is live, or main holds the old one, or nothing happened, or it says that
 * nobody could find out. A killed process
 * may have stopped anywhere. If the version is broken, a Hub that refuses until the end may prevent the first run from
 * going back. After the second run there is one final state, whatever the fault was: the new version is live or, if it
 * is broken, the old one.
 */
export async function converge(
  action: DeployAction,
  predecessor: string,
  boundary: Boundary,
  kind: Kind,
): Promise<Outcome> {
  const stage = await prepared(
    action,
    predecessor,
    boundary.scenario,
    boundary.route.endsWith("/logs/build") ? 2000 : 150,
  );
  const broken = boundary.scenario === "broken";
  const [last, settings] = [broken ? "1.0.0" : "1.1.0", settingsOf(boundary.scenario)];
  const problems: string[] = [];
  const expect = (holds: boolean, words: string) => {
    if (!holds) problems.push(words);
  };
  try {
    const fault = arm(stage, boundary, kind);
    const first = await stage.deploy({ settings: settings + shortWaits(boundary, kind) });
    expect(fault.met(), faultNotReached);
    disarm(stage);
    const killed = first.code === -1;
    const ended = killed ? "killed" : `exit ${first.code}, holds ${stage.holds()}`;
    if (!killed) {
      const live = [0, 5].includes(first.code) && stage.holds() === "1.1.0" && (await stage.serves()) === "1.1.0";
      const kept = [1, 2, 4].includes(first.code) && stage.holds() === "1.0.0";
      const stuck = broken && kind === "error" && first.code === 1;
      // What nobody could find out is said to be so.
      const unknown = first.code === 3 && first.receipt?.outcome === "unknown";
      expect(
        live || kept || stuck || unknown,
        `the first run ended in neither state: exit ${first.code}, holds ${stage.holds()}, serves ${await stage.serves()}: ${first.receipt?.reason ?? ""}`,
      );
    }
    const second = await stage.deploy({ settings }, { GITHUB_RUN_ATTEMPT: "2" });
    expect(
      second.code === (broken ? 1 : 0),
      `the next run exits with ${second.code}: ${
        second.receipt?.reason ??
        second.log
          .split("\n")
          .filter((line) => line.includes("::error"))
          .join(" ")
      }`,
    );
    expect(
      (await stage.serves()) === last && stage.holds() === last,
      `the Space holds ${stage.holds()} and serves ${await stage.serves()}`,
    );
    expect(stage.locks().length === 0, `locked: ${stage.locks().join()}`);
    expect(stage.tags().join() === (broken ? "" : "births@1.1.0"), `tags: ${stage.tags().join()}`);
    problems.push(...history(stage, last));
    expect(stage.leaks().length === 0, `leaked: ${stage.leaks().join()}`);
    await stage.close().catch((error: unknown) => {
      problems.push((error as Error).message.split("\n").slice(0, 3).join(" "));
    });
    return { boundary, kind, first: ended, problems };
  } catch (error) {
    await stage.close().catch(() => {});
    return { boundary, kind, first: "?", problems: [...problems, (error as Error).message] };
  }
}

/**
 * Checks that no change has two commits, that no revision has two records, and that the last record is the success of
 * what serves.
 */
function history(stage: Stage, last: string): string[] {
  const problems: string[] = [];
  const commits = stage.hub.space.repository.log();
  const content = (index: number) =>
    [...(commits[index]?.tree ?? [])]
      .map(([path, { oid }]) => `${path} ${oid}`)
      .sort()
      .join("\n");
  for (let i = 0; i + 1 < commits.length; i += 1)
    if (content(i) === content(i + 1)) problems.push(`commit ${commits[i]!.title} changes nothing`);
  const deploys = commits.filter(({ title }) => title === "Deploy births 1.1.0").length;
  const restores = commits.filter(({ title }) => title === "Restore births 1.0.0").length;
  if (deploys !== restores + (last === "1.1.0" ? 1 : 0))
    problems.push(`${deploys} deploys and ${restores} restorations`);
  const rows = stage.github.state.rows.map(({ payload }) => {
    const { kind, spaceCommit } = payload as { kind: string; spaceCommit: string };
    return `${kind} ${spaceCommit}`;
  });
  if (new Set(rows).size !== rows.length) problems.push(`a revision is recorded twice: ${rows.join(", ")}`);
  const row = stage.github.state.rows.at(-1);
  if (row === undefined || stage.github.state.deployments[row.id]!.at(-1)?.state !== "success")
    problems.push("the last Deployment is no success");
  const weights = stage.hub.models.get("octo/births")!.repository.log().length - 1;
  if (weights > 1) problems.push(`the weights were committed ${weights} times`);
  return problems;
}
