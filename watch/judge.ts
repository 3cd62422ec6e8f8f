import { judgeModel } from "../eval/judge/judge.ts";
import { lookLevel } from "./drift/look-level.ts";
import type { Gates } from "../models/core/manifest/gates.ts";
import type { WatchPolicy } from "../models/core/manifest/watch.ts";
import { referenceCounts } from "../models/profile/cells.ts";
import type { HourCounts } from "../models/profile/live.ts";
import type { Profile, ProfileVariable } from "../models/profile/schema.ts";
import { distributionChecks, sharesOf } from "./checks/distributions.ts";
import { nameOf, percent } from "./checks/check.ts";
import { expectedNote } from "./checks/expected-accuracy.ts";
import { dailyFigures } from "./checks/daily-figures.ts";
import { performanceChecks } from "./checks/performance.ts";
import { decidingRates, qualityChecks } from "./checks/quality.ts";
import type { ChangeState } from "./schema/state.ts";
import type { WatchCheck, WatchedModel } from "./schema/verdict.ts";
import { windowOf, type Window } from "./live/window.ts";

const DAY_MS = 86_400_000;

/** What is known of one live model. `hours`: of all of its instances, merged. */
export type Evidence = {
  model: WatchedModel["model"];
  url: string[];
  profile: Profile;
  profileSha256: string;
  hours: readonly HourCounts[];
  instances: (since: string) => number;
  /** What earlier looks kept of each figure by labels. */
  changes: Readonly<Record<string, ChangeState>>;
};

/** The verdict on one live model, and what the next look needs of this one. */
export function judgeLive(
  evidence: Evidence,
  gates: Gates | null,
  policy: WatchPolicy,
  now: Date,
): { model: WatchedModel; changes: Record<string, ChangeState> } {
  const { profile, hours } = evidence;
  const window = windowOf(hours, profile.variables, now, policy.windowDays);
  const answers = profile.variables.filter(({ role }) => role === "answer").length;
  const { level } = lookLevel({
    looksPerYear: policy.looksPerYear,
    series: Math.max(1, answers + decidingRates(profile, window)),
    perYear: policy.falseAlarmsPerYear,
  });
  const due = new Date(now.getTime() - policy.labels.horizonDays * DAY_MS).toISOString().slice(0, 13);
  const cohorts = hours.filter(({ hour }) => hour <= due);
  const performance = performanceChecks(profile, { hours: cohorts, due }, gates, policy, evidence.changes);
  const checks = [
    ...distributionChecks(profile.variables, window, policy, level),
    ...qualityChecks(profile, window, policy, level),
    ...performance.checks,
    ...performance.groups,
  ];
  const labels = labelShares(profile, cohorts);
  const model: WatchedModel = {
    model: evidence.model,
    url: evidence.url,
    profile: { sha256: evidence.profileSha256, dataset: profile.dataset },
    window: {
      from: window.from,
      to: window.to,
      answered: window.answered,
      refused: Object.values(window.refused).reduce((sum, count) => sum + count, 0),
      instances: evidence.instances(window.from),
    },
    labels,
    events: window.events,
    ...judgeModel(
      ordered(checks)
        .filter(
          ({ group, slice, advisory, verdict }) =>
            !advisory || (group !== "features" && slice === "all" && verdict === "INCONCLUSIVE"),
        )
        .map((one) => ({ ...one, metric: nameOf(one) })),
    ),
    checks: ordered(checks),
    figures: dailyFigures(profile.labels, cohorts),
    distributions: shownDistributions(profile.variables, window, checks),
    notes: [
      ...notesOf(profile, { window, cohorts }, policy, labels),
      ...driftedFeatures(checks),
      ...worseGroups(performance.groups),
    ],
  };
  return { model, changes: performance.changes };
}

/** The decisive ones first, so that the reason names what matters. */
function ordered(checks: readonly WatchCheck[]): WatchCheck[] {
  const place = { performance: 0, answers: 1, quality: 2, features: 3 };
  return checks.toSorted((a, b) => place[a.group] - place[b.group]);
}

function labelShares(profile: Profile, cohorts: readonly HourCounts[]): WatchedModel["labels"] {
  const answered = cohorts.reduce((sum, one) => sum + one.answered, 0);
  return profile.labels.map((head, k) => {
    const cells = head.kind === "classes" ? head.classes.length ** 2 : head.edges.length + 1;
    const labelled = cohorts.reduce(
      (sum, one) => sum + (one.labelled[k] ?? []).slice(0, cells).reduce((all, count) => all + count, 0),
      0,
    );
    return { head: head.head, labelled, answered };
  });
}

/** Labelled answers of a head over all hours, on its cells. */
function summed(hours: readonly HourCounts[], k: number): number[] {
  const sums: number[] = [];
  for (const { labelled } of hours)
    (labelled[k] ?? []).forEach((count, cell) => {
      sums[cell] = (sums[cell] ?? 0) + count;
    });
  return sums;
}

function notesOf(
  profile: Profile,
  { window, cohorts }: { window: Window; cohorts: readonly HourCounts[] },
  policy: WatchPolicy,
  labels: WatchedModel["labels"],
): string[] {
  const notes = labels.map(({ head, labelled, answered }) =>
    labelled === 0
      ? `No true labels of ${head}: whether it is still right is not known.`
      : `${labelled} of ${answered} answers of ${head} have a label${answered === 0 ? "" : ` (${percent(labelled / answered)})`}. Those that come first may not be like all.`,
  );
  for (const head of profile.labels) {
    const k = profile.labels.indexOf(head);
    const note = expectedNote(head, k, profile.variables, window, summed(cohorts, k));
    if (note !== null && window.answered >= policy.minimumRows) notes.push(note);
  }
  if (profile.left > 0) notes.push(`${profile.left} more features are not counted: a profile holds 300.`);
  if (profile.rows.observed < profile.rows.answered)
    notes.push(`The gate's features are those of ${profile.rows.observed} of its ${profile.rows.answered} rows.`);
  return notes;
}

function driftedFeatures(checks: readonly WatchCheck[]): string[] {
  const drifted = checks.filter(({ group, verdict }) => group === "features" && verdict === "FAIL");
  if (drifted.length === 0) return [];
  const named = drifted
    .toSorted((a, b) => (b.observed ?? 0) - (a.observed ?? 0))
    .slice(0, 10)
    .map(({ variable, observed }) => `${variable} (PSI ${observed?.toFixed(2)})`);
  return [
    `Inputs drifted: ${named.join(", ")}${drifted.length > 10 ? ` and ${drifted.length - 10} more` : ""}. That informs; it decides nothing while answers and figures hold.`,
  ];
}

/** Classes and slices that inform and are worse. */
function worseGroups(groups: readonly WatchCheck[]): string[] {
  const worse = groups.filter(({ advisory, verdict }) => advisory && verdict === "FAIL");
  if (worse.length === 0) return [];
  const named = worse.slice(0, 10).map((one) => `${nameOf(one)} (${one.reason})`);
  return [
    `Worse by labels: ${named.join("; ")}${worse.length > 10 ? ` and ${worse.length - 10} more` : ""}. That informs; a gate on the slice would make it decide.`,
  ];
}

const MAX_SHOWN = 12;

function shownDistributions(
  variables: readonly ProfileVariable[],
  window: Window,
  checks: readonly WatchCheck[],
): WatchedModel["distributions"] {
  const drifted = new Map(
    checks
      .filter((one) => one.group === "features" && one.verdict === "FAIL")
      .map((one) => [one.variable, one.observed]),
  );
  return variables
    .map((variable, i) => ({ variable, i }))
    .filter(({ variable }) => variable.role === "answer" || drifted.has(variable.name))
    .toSorted((a, b) => (drifted.get(b.variable.name) ?? Infinity) - (drifted.get(a.variable.name) ?? Infinity))
    .slice(0, MAX_SHOWN)
    .map(({ variable, i }) => {
      const reference = sharesOf(variable, referenceCounts(variable));
      const live = sharesOf(variable, window.counts[i] ?? []);
      return {
        variable: variable.name,
        cells: cellNames(variable),
        reference,
        live: reference.map((_, cell) => live[cell] ?? 0),
      };
    });
}

/** What each cell holds, for people. */
function cellNames(variable: ProfileVariable): string[] {
  const short = (value: number) => String(Number(value.toPrecision(4)));
  switch (variable.kind) {
    case "numbers": {
      const { edges } = variable;
      if (edges.length === 0) return ["all"];
      return [
        `below ${short(edges[0]!)}`,
        ...edges.slice(1).map((edge, i) => `${short(edges[i]!)} to ${short(edge)}`),
        `from ${short(edges.at(-1)!)}`,
      ];
    }
    case "categories":
      return [...variable.categories, "other"];
    case "rate":
      return ["yes", "no"];
  }
}
