/** Requests of a window, and those of them that missed the objective. */
export type RequestCounts = { bad: number; all: number };

/** Alerts when the budget burns `burn` times too fast in both windows: the long one proves it, the short one that it goes on. */
export type BurnRule = { severity: "page" | "ticket"; burn: number; longMs: number; shortMs: number };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/**
 * The multi-window rules of the Site Reliability Workbook (Beyer and others, 2018, ch. 5, table 5-8) for a period of 30
 * days: they alert when 2, 5 or 10 % of the budget were spent within the long window.
 */
export const burnRules: readonly BurnRule[] = [
  { severity: "page", burn: 14.4, longMs: hourMs, shortMs: 5 * minuteMs },
  { severity: "page", burn: 6, longMs: 6 * hourMs, shortMs: 30 * minuteMs },
  { severity: "ticket", burn: 1, longMs: 3 * dayMs, shortMs: 6 * hourMs },
];

/** Fewer bad requests than this in the long window never alert: one failure in fifty requests is no outage. */
const leastBadRequests = 10;

/**
 * (bad/all)/(1 - objective): how many times faster than allowed the error budget is spent. NaN without requests.
 *
 * @param objective share of good requests, in (0, 1): 0.999
 * @throws RangeError where it is not
 */
export function burnRate({ bad, all }: RequestCounts, objective: number): number {
  if (!(objective > 0 && objective < 1))
    throw new RangeError(`an objective is a share between 0 and 1, got ${objective}; for example 0.999`);
  return all > 0 ? bad / all / (1 - objective) : Number.NaN;
}

/** Share of the period's error budget that a window at this burn rate spends. */
export function budgetSpent(burn: number, windowMs: number, periodMs = 30 * dayMs): number {
  return (burn * windowMs) / periodMs;
}

type BurnAlert = BurnRule & { burnLong: number; burnShort: number; budgetSpent: number };

export type BurnResult = {
  /** FAIL where a rule alerts; INCONCLUSIVE where no rule does and no request was seen in any long window. */
  verdict: "PASS" | "FAIL" | "INCONCLUSIVE";
  alerts: BurnAlert[];
};

/**
 * Which rules alert now.
 *
 * @param countsOf requests of the last `windowMs` milliseconds
 */
export function judgeBurn(
  countsOf: (windowMs: number) => RequestCounts,
  objective: number,
  rules: readonly BurnRule[] = burnRules,
): BurnResult {
  const alerts = rules.flatMap((rule): BurnAlert[] => {
    const long = countsOf(rule.longMs);
    const burnLong = burnRate(long, objective);
    const burnShort = burnRate(countsOf(rule.shortMs), objective);
    const alerting = burnLong >= rule.burn && burnShort >= rule.burn && long.bad >= leastBadRequests;
    return alerting ? [{ ...rule, burnLong, burnShort, budgetSpent: budgetSpent(burnLong, rule.longMs) }] : [];
  });
  const seen = rules.some((rule) => countsOf(rule.longMs).all > 0);
  return { verdict: alerts.length > 0 ? "FAIL" : seen ? "PASS" : "INCONCLUSIVE", alerts };
}
