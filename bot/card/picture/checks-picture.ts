import { checkName, checkNumbers } from "../../../eval/report/content/check-numbers.ts";
import { forestScale } from "../../../eval/report/series/forest-scale.ts";
import { forestRow } from "../../../eval/report/series/forest.ts";
import { byAttention } from "../../../eval/report/content/check-order.ts";
import type { ModelVerdict } from "../../../eval/schema/verdict.ts";
import { dot, line, margin, page, text, width } from "./svg.ts";

const pitch = 118;
const top = 190;
const maxRows = 6;

/**
 * The checks that decided about a candidate against its baseline, each with its difference and interval in units of its
 * margin, better to the right; those that did not pass first. The same series as the report's plot, for a phone.
 *
 * @returns SVG; null where no check compares with a baseline
 */
export function checksPicture({ model, verdict, checks }: ModelVerdict): string | null {
  const drawable = byAttention(checks)
    .filter(({ advisory }) => !advisory)
    .flatMap((check) => {
      const row = forestRow(check);
      return row === null ? [] : [{ check, row }];
    })
    .slice(0, maxRows);
  if (drawable.length === 0) return null;
  const scale = forestScale(drawable.map(({ row }) => row));
  const half = (width - 2 * margin) / 2 - 24;
  const x = (margins: number) => width / 2 + scale.place(margins) * half;
  const bottom = top + drawable.length * pitch;
  const ticks = spread(scale.ticks.map((tick) => ({ tick, at: x(tick) })));
  const axis = [
    ...ticks.map(({ at }) =>
      line(
        [
          [at, top - 34],
          [at, bottom - 20],
        ],
        "grid",
        2,
      ),
    ),
    line(
      [
        [x(0), top - 34],
        [x(0), bottom - 20],
      ],
      "gate",
      3,
      true,
    ),
    ...ticks.map(({ tick, at }) =>
      text(String(tick), at, bottom + 18, 90, { size: 26, colour: "faint", anchor: "middle" }),
    ),
    text("← worse · differences in margins · better →", width / 2, bottom + 62, width, {
      size: 28,
      colour: "faint",
      anchor: "middle",
    }),
  ];
  const rows = drawable.map(({ check, row }, i) => {
    const y = top + i * pitch;
    const { difference, interval } = checkNumbers(check);
    const name = `${check.verdict} ${checkName(check)}${check.slice === "all" ? "" : `, ${check.slice}`}`;
    const numbers = `${difference} ${interval}`.trim();
    return [
      text(name, margin, y, width - 2 * margin - numbers.length * 17 - 24, { colour: check.verdict }),
      text(numbers, width - margin, y, width, { anchor: "end", size: 28 }),
      line(
        [
          [x(row.low), y + 40],
          [x(row.high), y + 40],
        ],
        check.verdict,
        8,
      ),
      ...row.bounds.map((bound) =>
        line(
          [
            [x(bound), y + 18],
            [x(bound), y + 62],
          ],
          "text",
          4,
        ),
      ),
      dot(x(row.point), y + 40, check.verdict, 12),
    ].join("");
  });
  const explained = text("dot and line: difference and interval · upright mark: the margin", margin, 124, width, {
    size: 26,
    colour: "faint",
  });
  return page(`${verdict} ${model.id} ${model.version}`, verdict, bottom + 92, [explained, ...axis, ...rows]);
}

/** Marks that lie too close for their numbers are left out, from the middle outwards. */
function spread(marks: readonly { tick: number; at: number }[]): { tick: number; at: number }[] {
  const kept: { tick: number; at: number }[] = [];
  for (const mark of marks.toSorted((a, b) => Math.abs(a.tick) - Math.abs(b.tick)))
    if (kept.every(({ at }) => Math.abs(at - mark.at) >= 70)) kept.push(mark);
  return kept;
}
