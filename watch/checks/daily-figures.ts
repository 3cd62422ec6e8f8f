import type { HourCounts } from "../../models/profile/live.ts";
import type { LabelledHead } from "../../models/profile/schema.ts";
import type { WatchedModel } from "../schema/verdict.ts";
import { labelledUnits } from "./labelled-units.ts";

/**
 * Each head's figure by the day of its answers: accuracy of classes, mean absolute error of numbers. Days without a
 * label are left out.
 *
 * @param hours past the label horizon, oldest first
 */
export function dailyFigures(
  labels: readonly LabelledHead[],
  hours: readonly Pick<HourCounts, "hour" | "labelled">[],
): WatchedModel["figures"] {
  const days = Map.groupBy(hours, ({ hour }) => hour.slice(0, 10));
  return labels.map((head, k) => ({
    head: head.head,
    metric: head.kind === "classes" ? "accuracy" : "mae",
    days: [...days].flatMap(([day, some]) => {
      const { n, observed } = labelledUnits(
        head,
        some.map(({ labelled }) => labelled[k] ?? []),
      );
      return n === 0 ? [] : [{ day, n, value: observed }];
    }),
  }));
}
