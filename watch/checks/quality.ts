import { decideNonInferiority } from "../../eval/stats/decide.ts";
import { rateChange, type Rate } from "../drift/rate-change.ts";
import { referenceCounts } from "../../models/profile/cells.ts";
import type { Profile, ProfileVariable } from "../../models/profile/schema.ts";
import type { WatchPolicy } from "../../models/core/manifest/watch.ts";
import type { WatchCheck } from "../schema/verdict.ts";
import type { Window } from "../live/window.ts";
import { finite, intervalOf, percent, verdictOf, watchCheck, type Decided } from "./check.ts";

type Watched = { name: string; what: string; decides: boolean; reference: Rate; live: Rate; detail: string };

/**
 * Rates of rows that could not be used as they came, against the gate's: refused, a value missing, a category unseen, a
 * text cut, an image replaced. Values outside the range of the gate's rows only inform: that is a drift of inputs.
 */
function watchedRates(profile: Profile, window: Window): Watched[] {
  const refused = Object.values(window.refused).reduce((sum, count) => sum + count, 0);
  const kinds = Object.entries(window.refused)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ");
  return [
    {
      name: "rows refused",
      what: "refused",
      decides: true,
      reference: { counted: profile.rows.refused, rows: profile.rows.answered + profile.rows.refused },
      live: { counted: refused, rows: window.answered + refused },
      detail: kinds === "" ? "" : ` (${kinds})`,
    },
    ...profile.variables.flatMap((variable, i) => ofVariable(variable, window.counts[i] ?? [])),
  ];
}

function ofVariable(variable: ProfileVariable, live: readonly number[]): Watched[] {
  const reference = referenceCounts(variable);
  const at = (counts: readonly number[], cell: number) => counts[cell] ?? 0;
  const sum = (counts: readonly number[], to: number) => counts.slice(0, to).reduce((all, count) => all + count, 0);
  switch (variable.kind) {
    case "rate":
      return [
        {
          name: variable.name,
          what: "of the rows",
          decides: true,
          reference: { counted: at(reference, 0), rows: sum(reference, 2) },
          live: { counted: at(live, 0), rows: sum(live, 2) },
          detail: "",
        },
      ];
    case "categories":
      return [];
    case "numbers": {
      const cells = variable.edges.length + 1;
      const rate = (counts: readonly number[], cell: number, rows: number): Rate => ({
        counted: at(counts, cell),
        rows: sum(counts, rows),
      });
      const missing = { reference: rate(reference, cells, cells + 1), live: rate(live, cells, cells + 1) };
      const outside = { reference: rate(reference, cells + 1, cells), live: rate(live, cells + 1, cells) };
      return [
        ...(missing.reference.counted + missing.live.counted === 0
          ? []
          : [{ name: `${variable.name} missing`, what: "without a value", decides: true, ...missing, detail: "" }]),
        ...(variable.role === "answer" || variable.range === null
          ? []
          : [
              {
                name: `${variable.name} out of range`,
                what: `outside ${variable.range.low} to ${variable.range.high}`,
                decides: false,
                ...outside,
                detail: "",
              },
            ]),
      ];
    }
  }
}

/** How many of the checks decide, for the level of each. */
export const decidingRates = (profile: Profile, window: Window): number =>
  watchedRates(profile, window).filter(({ decides }) => decides).length;

/** @param level of the interval of one look */
export function qualityChecks(profile: Profile, window: Window, policy: WatchPolicy, level: number): WatchCheck[] {
  return watchedRates(profile, window).map(({ name, what, decides, reference, live, detail }) => {
    const estimate = rateChange(reference, live, level);
    const few = live.rows < policy.minimumRows;
    const verdict: Decided = few
      ? "INCONCLUSIVE"
      : verdictOf(decideNonInferiority(estimate.interval, policy.rate, "lower"));
    const [before, now] = [reference.counted / reference.rows, live.counted / live.rows];
    const figures = `${live.rows === 0 ? "no rows" : percent(now)}${detail} ${what}, ${percent(before)} of the gate's rows`;
    const reason = few
      ? `${live.rows} rows in the window, and at least ${policy.minimumRows} are needed to decide`
      : verdict === "PASS"
        ? `${figures}: no rise of ${percent(policy.rate)}`
        : verdict === "FAIL"
          ? `${figures}: a rise of more than ${percent(policy.rate)}`
          : `${figures}: more rows would decide`;
    return watchCheck({
      id: `rate[${name}]`,
      metric: "rate",
      group: "quality",
      variable: name,
      kind: "non-inferiority",
      observed: finite(now),
      baseline: finite(before),
      difference: finite(estimate.value),
      interval: intervalOf(estimate),
      margin: policy.rate,
      direction: "lower",
      n: live.rows,
      unit: "fraction",
      verdict,
      reason,
      advisory: !decides || (verdict === "INCONCLUSIVE" && policy.onInsufficient === "warn"),
    });
  });
}
