import { quantile } from "../../eval/stats/quantile.ts";

/** One deployment to production. Times are milliseconds since 1970. */
export type DeploymentRecord = {
  id: string;
  /** Time of its `success`; null where it never succeeded, and then it is no deployment. */
  succeededAt: number | null;
  /** Commits that it ships and the one before did not. */
  commits: readonly string[];
  /** The deployment that this one puts right, by rolling back or by a fix. */
  restores?: string | null;
  /** Made because of an incident, not planned. */
  unplanned?: boolean;
};

export type CommitRecord = { sha: string; at: number };

/** Trouble that a deployment caused. `restoredAt`: when service was good again without another deployment. */
export type IncidentRecord = { deployment: string; restoredAt?: number | null };

export type DoraFigures = {
  deployments: number;
  deploymentsPerWeek: number;
  /** Median of success - commit over every commit that shipped; null where none did. */
  leadTimeMedianMs: number | null;
  /** Share of deployments that needed a rollback, a fix, or had an incident; null where nothing was deployed. */
  changeFailureRate: number | null;
  /** Median of restored - success of the deployments that failed; null where none was restored. */
  recoveryMedianMs: number | null;
  /** Failed deployments that nothing has restored yet. */
  unrestored: number;
  /** Share of deployments that were unplanned; null where nothing was deployed. */
  reworkRate: number | null;
};

const weekMs = 7 * 24 * 3_600_000;

/**
 * DORA's five figures (dora.dev, 2026: deployment frequency, change lead time, change fail rate, failed deployment
 * recovery time, deployment rework rate) of one model over [from, to), by the time of success. A commit counts once, with
 * the first deployment that brought it out. Commits whose time is not known are left out of the lead time.
 *
 * @throws RangeError where `from` is not before `to`
 */
export function doraFigures(
  records: {
    deployments: readonly DeploymentRecord[];
    commits: readonly CommitRecord[];
    incidents?: readonly IncidentRecord[];
  },
  from: number,
  to: number,
): DoraFigures {
  if (!(from < to)) throw new RangeError(`a period needs a start before its end, got ${from} and ${to}`);
  const all = records.deployments.filter(succeeded).toSorted((a, b) => a.succeededAt - b.succeededAt);
  const counted = all.filter(({ succeededAt }) => succeededAt >= from && succeededAt < to);
  const incidents = records.incidents ?? [];
  const restorations = counted.map((one) => {
    const restoring = all.find(({ restores, succeededAt }) => restores === one.id && succeededAt >= one.succeededAt);
    const ofIncidents = incidents.filter(({ deployment }) => deployment === one.id);
    if (restoring === undefined && ofIncidents.length === 0) return null;
    const ends = ofIncidents.flatMap(({ restoredAt }) => (typeof restoredAt === "number" ? [restoredAt] : []));
    if (restoring !== undefined) ends.push(restoring.succeededAt);
    return { recoveryMs: ends.length === 0 ? null : Math.min(...ends) - one.succeededAt };
  });
  const failures = restorations.filter((one) => one !== null);
  const recoveries = failures.flatMap(({ recoveryMs }) => (recoveryMs === null ? [] : [recoveryMs]));
  const share = (count: number): number | null => (counted.length === 0 ? null : count / counted.length);
  return {
    deployments: counted.length,
    deploymentsPerWeek: counted.length / ((to - from) / weekMs),
    leadTimeMedianMs: median(leadTimes(all, records.commits, from, to)),
    changeFailureRate: share(failures.length),
    recoveryMedianMs: median(recoveries),
    unrestored: failures.length - recoveries.length,
    reworkRate: share(counted.filter(({ unplanned }) => unplanned === true).length),
  };
}

type Succeeded = DeploymentRecord & { succeededAt: number };
const succeeded = (one: DeploymentRecord): one is Succeeded => one.succeededAt !== null;

const median = (values: readonly number[]): number | null => (values.length === 0 ? null : quantile(values, 0.5));

function leadTimes(all: readonly Succeeded[], commits: readonly CommitRecord[], from: number, to: number): number[] {
  const times = new Map(commits.map(({ sha, at }) => [sha, at]));
  const shipped = new Set<string>();
  return all.flatMap(({ commits: brought, succeededAt }) =>
    brought.flatMap((sha) => {
      if (shipped.has(sha)) return [];
      shipped.add(sha);
      const at = times.get(sha);
      return at === undefined || succeededAt < from || succeededAt >= to ? [] : [succeededAt - at];
    }),
  );
}
