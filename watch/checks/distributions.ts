import { decideDrift } from "../drift/decide-drift.ts";
import { designEffect } from "../drift/design-effect.ts";
import type { DriftEstimate } from "../drift/distributions.ts";
import { benjaminiHochberg, falseDiscoveryRate } from "../drift/benjamini-hochberg.ts";
import { psiEstimate } from "../drift/psi.ts";
import { referenceCounts } from "../../models/profile/cells.ts";
import type { ProfileVariable } from "../../models/profile/schema.ts";
import type { WatchPolicy } from "../../models/core/manifest/watch.ts";
import type { WatchCheck } from "../schema/verdict.ts";
import type { Window } from "../live/window.ts";
import { finite, intervalOf, watchCheck, type Decided } from "./check.ts";

/** The cells that partition a variable's rows: without those that count rows once more, or without a value. */
export function sharesOf(variable: ProfileVariable, counts: readonly number[]): number[] {
  return variable.kind === "numbers" ? counts.slice(0, variable.edges.length + 1) : [...counts];
}

type Compared = { variable: ProfileVariable; estimate: DriftEstimate; rows: number };

/**
 * PSI of every answer and feature against the gate's rows, on the gate's cells. Answers decide; features inform: which
 * of them drifted is said with the false-discovery rate held.
 *
 * @param level of the interval of one look at an answer
 */
export function distributionChecks(
  variables: readonly ProfileVariable[],
  window: Window,
  policy: WatchPolicy,
  level: number,
): WatchCheck[] {
  const compared = variables.flatMap((variable, i): Compared[] => {
    if (variable.role === "quality") return [];
    const live = sharesOf(variable, window.counts[i] ?? []);
    // Rows of one day are more alike than rows of several: a window of few days holds fewer independent rows.
    const effect = designEffect(window.days.map((day) => sharesOf(variable, day[i] ?? []))) ?? 1;
    const reference = sharesOf(variable, referenceCounts(variable));
    const padded = reference.map((_, cell) => live[cell] ?? 0);
    return [
      {
        variable,
        estimate: psiEstimate({ reference, live: padded }, level, { live: effect }),
        rows: padded.reduce((sum, count) => sum + count, 0),
      },
    ];
  });
  const features = compared.filter(({ variable }) => variable.role === "feature");
  const adjusted = new Map(
    benjaminiHochberg(features.map(({ estimate }) => estimate.pValue)).map((p, i) => [features[i]!.variable.name, p]),
  );
  return compared.map(({ variable, estimate, rows }) => {
    const { verdict, reason } = byEffect(estimate, rows, policy);
    const answers = variable.role === "answer";
    const pValue = adjusted.get(variable.name) ?? Number.NaN;
    return watchCheck({
      id: `psi[${variable.name}]`,
      metric: "psi",
      group: answers ? "answers" : "features",
      variable: variable.name,
      kind: "limit",
      observed: finite(estimate.value),
      interval: intervalOf(estimate),
      limit: { min: null, max: policy.psi, confident: true },
      direction: "lower",
      n: rows,
      pValue: finite(pValue),
      verdict,
      reason: `${reason}${!answers && pValue <= falseDiscoveryRate ? `; among the features that differ from the gate's rows (q ${falseDiscoveryRate})` : ""}`,
      advisory: !answers || (verdict === "INCONCLUSIVE" && policy.onInsufficient === "warn"),
    });
  });
}

function byEffect(
  estimate: DriftEstimate,
  rows: number,
  { psi, minimumRows }: WatchPolicy,
): { verdict: Decided; reason: string } {
  if (rows < minimumRows)
    return {
      verdict: "INCONCLUSIVE",
      reason: `${rows} rows in the window, and at least ${minimumRows} are needed to decide`,
    };
  const { low, high } = estimate.interval ?? { low: Number.NaN, high: Number.NaN };
  const shown = `PSI ${estimate.value.toFixed(3)}, interval ${low.toFixed(3)} to ${high.toFixed(3)}`;
  const { verdict } = decideDrift(estimate, psi);
  switch (verdict) {
    case "PASS":
      return { verdict, reason: `${shown}: at most ${psi}` };
    case "FAIL":
      return { verdict, reason: `drift: ${shown}: above ${psi}` };
    case "INCONCLUSIVE":
      return { verdict, reason: `${shown} holds ${psi}: more rows would decide` };
  }
}
