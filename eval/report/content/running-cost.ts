import type { PerformanceFigures } from "../../schema/metrics.ts";
import type { ModelVerdict } from "../../schema/verdict.ts";
import { count, counted } from "../text/format.ts";
import { type Glyphs, unicode } from "../text/glyphs.ts";
import { cut, oneLine } from "../text/text.ts";

type Cost = NonNullable<PerformanceFigures["cost"]>;

/** "0.000931 USD" */
export const money = (value: number, currency: string): string => `${significantly(value)} ${oneLine(currency)}`;

/** What the cost rests on, and what it leaves out, in a sentence; null without a cost. */
export function costSentence(
  candidate: PerformanceFigures | null,
  baseline: PerformanceFigures | null,
  glyphs: Glyphs = unicode,
): string | null {
  const cost: Cost | undefined = candidate?.cost ?? baseline?.cost;
  if (cost === undefined) return null;
  const name = cut(oneLine(cost.hosting), 60, glyphs.ellipsis);
  return `Cost: rows/s at batch ${count(cost.batch)}, in one process without HTTP, at ${significantly(cost.pricePerHour)} ${oneLine(cost.currency)} an hour (${name}). No idle time: one that is busy a tenth of the time costs ten times as much per answer; \`sluice ops\` reckons with real traffic.`;
}

/** How worn the test set is; null where no tag tells of another candidate. */
export function wearSentence({ wear }: Pick<ModelVerdict, "wear">): string | null {
  if (wear === undefined) return null;
  const points = (share: number) => (100 * share).toFixed(1);
  return `Test set: its ${counted(wear.rows, "row")} have judged at least ${count(wear.candidates)} candidates, by the receipts in tags; a figure in [0, 1] may be ${points(wear.optimism)} points too good for that, ${points(wear.adaptiveOptimism)} where each was chosen by the results before.`;
}

const significantly = (value: number): string => (value === 0 ? "0" : String(Number(value.toPrecision(3))));
