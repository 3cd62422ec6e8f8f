import { classColumn } from "../../models/core/manifest/gates.ts";
import type { HourCounts } from "../../models/profile/live.ts";
import type { LabelledHead, Profile } from "../../models/profile/schema.ts";
import { wilson } from "../../eval/stats/wilson.ts";

/** What the gate measured of a figure. */
type Measured = { value: number; interval: { low: number; high: number } | null; unit: string };

/**
 * One group of a head's labelled answers whose figure is followed: all of them, those of one true class, or those of one
 * slice.
 */
export type LabelView = {
  /** The head as it is declared. */
  head: LabelledHead;
  /** `all`, `label=CLASS` or `FIELD=VALUE`. */
  slice: string;
  /** The head on whose cells `countsOf` counts. */
  cells: LabelledHead;
  countsOf: (hour: Pick<HourCounts, "labelled" | "sliced">) => readonly number[];
  measured: Measured | null;
};

/** Rows that the gate needs of a class or slice before it is followed live. */
const FEWEST_ROWS = 30;
const LEVEL = 0.9;

/** Right and wrong, as a table of two classes. */
const rightOrWrong = (head: string): LabelledHead => ({
  head,
  kind: "classes",
  classes: ["right", "wrong"],
  confusion: [0, 0, 0, 0],
});

/** Every group of a profile's labelled heads, all rows first. */
export function labelViews({ labels, performance, slices = [] }: Profile): LabelView[] {
  return labels.flatMap((head, k): LabelView[] => {
    const metric = head.kind === "classes" ? "accuracy" : "mae";
    const whole: LabelView = {
      head,
      slice: "all",
      cells: head,
      countsOf: ({ labelled }) => labelled[k] ?? [],
      measured: performance.find((one) => one.head === head.head && one.metric === metric) ?? null,
    };
    const ofSlices = slices.flatMap(({ name, performance: figures }, s): LabelView[] => {
      const measured = figures.find((one) => one.head === head.head);
      return measured === undefined || measured.n < FEWEST_ROWS
        ? []
        : [
            {
              head,
              slice: name,
              cells: head.kind === "classes" ? rightOrWrong(head.head) : head,
              countsOf({ sliced }) {
                const counts = sliced?.[k]?.[s] ?? [];
                return head.kind === "classes" ? [...counts, 0, 0] : counts;
              },
              measured,
            },
          ];
    });
    return [whole, ...classViews(head, k), ...ofSlices];
  });
}

/** The share of right answers per true class. */
function classViews(head: LabelledHead, k: number): LabelView[] {
  if (head.kind !== "classes") return [];
  const size = head.classes.length;
  return head.classes.flatMap((name, truth): LabelView[] => {
    const row = head.confusion.slice(truth * size, (truth + 1) * size);
    const rows = row.reduce((sum, count) => sum + count, 0);
    if (rows < FEWEST_ROWS) return [];
    return [
      {
        head,
        slice: `${classColumn}=${name}`,
        cells: rightOrWrong(head.head),
        countsOf({ labelled }) {
          const live = (labelled[k] ?? []).slice(truth * size, (truth + 1) * size);
          const right = live[truth] ?? 0;
          return [right, live.reduce((sum, count) => sum + count, 0) - right, 0, 0];
        },
        measured: {
          value: row[truth]! / rows,
          interval: wilson(row[truth]!, rows, LEVEL),
          unit: "fraction",
        },
      },
    ];
  });
}
