import type { MetricDefinition } from "../../metrics/definition.ts";
import { hitRateAtK } from "../../metrics/hit-rate-at-k.ts";
import { sampleOf } from "../../metrics/measure.ts";
import { ndcgAtK } from "../../metrics/ndcg-at-k.ts";
import { recallAtK } from "../../metrics/recall-at-k.ts";
import { selectRows } from "../../predictions/select-rows.ts";
import { rankingsOf, withRelevant } from "../../metrics/user-hits.ts";
import type { Predictions } from "../../predictions/predictions.ts";
import { type Cell, listed, maxRows, type Piece, type TaskTable } from "./task-table.ts";
import { rowValue, threeDecimals } from "./row-value.ts";

const cutOffs = [1, 5, 10, 20];
const metrics: readonly MetricDefinition[] = [ndcgAtK, recallAtK, hitRateAtK];
/** Cut-off of the table of users. */
const shownPlaces = 10;

/** The metrics at several k, and the users whose lists are worst. */
export function rankingTables(candidate: Predictions, baseline: Predictions | null): TaskTable[] {
  const mine = withRelevant(sampleOf(candidate, everyRow(candidate)));
  const rankings = rankingsOf(mine);
  if (rankings === null || rankings.rows.length === 0) return [];
  const other = baseline === null ? null : withRelevant(sampleOf(baseline, everyRow(baseline)));
  const before = baseline === null ? [] : [{ title: "baseline", numeric: true }];
  const rows = metrics.flatMap((metric) =>
    cutOffs.map((k): Cell[] => {
      const options = { k, level: 0.95, seed: 1 };
      const result = metric.measure(mine, options);
      const ends = result.status === "ok" ? result.interval : null;
      return [
        { text: `${metric.name} k=${k}` },
        {
          text: threeDecimals(result.status === "ok" ? result.value : null),
          ...(ends === null ? {} : { aside: `[${threeDecimals(ends.low)}, ${threeDecimals(ends.high)}]` }),
        },
        ...(other === null ? [] : [{ text: threeDecimals(rowValue(metric, other, { k })) }]),
      ];
    }),
  );
  return [
    {
      name: "Metrics at k",
      about: `Over ${rankings.rows.length} users with a relevant item; 95 % intervals of the candidate.`,
      columns: [{ title: "metric", numeric: false }, { title: "candidate", numeric: true }, ...before],
      rows,
      left: 0,
    },
    worstUsers(candidate, baseline),
  ];
}

function worstUsers(candidate: Predictions, baseline: Predictions | null): TaskTable {
  const whole = sampleOf(candidate, everyRow(candidate));
  const wholeOther = baseline === null ? null : sampleOf(baseline, everyRow(baseline));
  const answers = rankingsOf(whole)?.of;
  const otherAnswers = wholeOther === null ? null : (rankingsOf(wholeOther)?.of ?? null);
  const valueOf = (sample: typeof whole, user: number) =>
    rowValue(ndcgAtK, selectRows(sample, Int32Array.of(user)), { k: shownPlaces });
  const relevantOf = (user: number): string[] =>
    (answers?.relevant[user] ?? []).filter((_, i) => (answers?.gains?.[user]?.[i] ?? 1) > 0);
  const users = [...everyRow(candidate)]
    .flatMap((user) => {
      const value = valueOf(whole, user);
      return value === null ? [] : [{ user, value, relevant: relevantOf(user) }];
    })
    .toSorted((a, b) => a.value - b.value || b.relevant.length - a.relevant.length);
  const rows = users.slice(0, maxRows).map(({ user, value, relevant }): Cell[] => {
    const ranked = (answers?.ranked[user] ?? []).slice(0, shownPlaces);
    const marked = (items: readonly string[], right: ReadonlySet<string>): Piece[] =>
      listed(items.map((text) => ({ text, kind: right.has(text) ? "hit" : "plain" })));
    const wanted = new Set(relevant);
    const theirs = otherAnswers?.ranked[user]?.slice(0, shownPlaces);
    return [
      { text: candidate.ids[user] as string },
      { text: threeDecimals(value) },
      ...(wholeOther === null ? [] : [{ text: threeDecimals(valueOf(wholeOther, user)) }]),
      {
        lines: [
          { label: "relevant", pieces: marked(relevant, new Set(ranked)), list: true },
          { label: "candidate", pieces: marked(ranked, wanted), list: true },
          ...(theirs === undefined ? [] : [{ label: "baseline", pieces: marked(theirs, wanted), list: true }]),
        ],
      },
    ];
  });
  return {
    name: "Users, the worst first",
    about: `Users, the worst first by ndcg_at_k k=${shownPlaces}: relevant items and the first ${shownPlaces} of each list. What is in both is marked.`,
    columns: [
      { title: "user", numeric: false },
      { title: "candidate", numeric: true },
      ...(wholeOther === null ? [] : [{ title: "baseline", numeric: true }]),
      { title: "items", numeric: false },
    ],
    rows,
    left: users.length - rows.length,
  };
}

function everyRow({ ids }: Predictions): Int32Array {
  return Int32Array.from(ids.keys());
}
