import { count, significant } from "../../../eval/report/text/format.ts";
import { nameOf } from "../../../watch/checks/check.ts";
import type { WatchCheck, WatchedModel } from "../../../watch/schema/verdict.ts";
import { dot, line, margin, page, rect, text, width, wrapped, type Colour } from "./svg.ts";

type Figure = WatchedModel["figures"][number];
type Distribution = WatchedModel["distributions"][number];

const panelHeight = 380;
const maxPoints = 40;
const maxCells = 12;

/**
 * What an alert about a live model rests on: the figure by true labels over the days with what it must keep, or the
 * shares of the answer that drifted, live beside the gate's rows.
 *
 * @returns SVG; null where there is nothing to draw
 */
export function watchPicture({ model, verdict, checks, figures, distributions }: WatchedModel): string | null {
  const deciding = checks.find((one) => !one.advisory && one.verdict === verdict && one.group !== "features");
  const drawn =
    [...(deciding === undefined ? [] : [deciding]), ...checks.filter(({ group }) => group === "performance")]
      .map((check) => panelOf(check, figures, distributions))
      .find((panel) => panel !== null) ?? null;
  if (drawn === null) return null;
  const { check, panel } = drawn;
  const reason = wrapped(`${nameOf(check)}: ${check.reason}`, width - 2 * margin, 3);
  const top = 140 + reason.length * 44;
  return page(`${verdict} ${model.id} ${model.version}, live`, verdict, top + panelHeight + 110, [
    ...reason.map((one, i) => text(one, margin, 138 + i * 44, width - 2 * margin)),
    ...panel(top),
  ]);
}

type Panel = (top: number) => string[];

function panelOf(
  check: WatchCheck,
  figures: readonly Figure[],
  distributions: readonly Distribution[],
): { check: WatchCheck; panel: Panel } | null {
  if (check.group === "performance") {
    const figure = figures.find((one) => one.head === check.head && one.metric === check.metric);
    return figure === undefined || figure.days.length < 2
      ? null
      : { check, panel: (top) => figurePanel(figure, check, top) };
  }
  const shares = distributions.find(({ variable }) => variable === check.variable);
  return shares === undefined ? null : { check, panel: (top) => sharesPanel(shares, top) };
}

/** The figure by day, oldest left; of many days several as one point. */
function figurePanel({ days }: Figure, check: WatchCheck, top: number): string[] {
  const step = Math.ceil(days.length / maxPoints);
  const points = Array.from({ length: Math.ceil(days.length / step) }, (_, i) => {
    const some = days.slice(i * step, (i + 1) * step);
    const n = some.reduce((sum, one) => sum + one.n, 0);
    return { day: some[0]!.day, value: some.reduce((sum, one) => sum + one.value * one.n, 0) / n };
  });
  const bound = boundOf(check);
  const values = [...points.map(({ value }) => value), ...[check.baseline, bound].filter((one) => one !== null)];
  const pad = Math.max(1e-9, (Math.max(...values) - Math.min(...values)) * 0.08);
  const [low, high] = [Math.min(...values) - pad, Math.max(...values) + pad];
  const [left, right] = [margin + 120, width - margin - 200];
  const x = (i: number) => left + (i / Math.max(1, points.length - 1)) * (right - left);
  const y = (value: number) => top + panelHeight - ((value - low) / (high - low)) * panelHeight;
  const isWorse = (value: number) => bound !== null && (check.direction === "higher" ? value < bound : value > bound);
  // The words stand beside the plot, where no point can lie on them, and never on each other.
  const apart = bound === null || check.baseline === null ? 0 : y(bound) - y(check.baseline);
  const nudge = Math.max(0, 34 - Math.abs(apart)) / 2;
  const guide = (value: number, colour: Colour, words: string, shift: number) => [
    line(
      [
        [left, y(value)],
        [right, y(value)],
      ],
      colour,
      3,
      true,
    ),
    text(`${words} ${significant(value)}`, right + 14, y(value) + 9 + shift, 200, { size: 26, colour }),
  ];
  const boundIsAbove = apart <= 0;
  return [
    rect(left, top + panelHeight, right - left, 2, "gate"),
    ...(check.baseline === null ? [] : guide(check.baseline, "faint", "gate", boundIsAbove ? nudge : -nudge)),
    ...(bound === null ? [] : guide(bound, "FAIL", "limit", boundIsAbove ? -nudge : nudge)),
    line(
      points.map(({ value }, i) => [x(i), y(value)] as const),
      "gate",
      4,
    ),
    ...points.map(({ value }, i) => dot(x(i), y(value), isWorse(value) ? "FAIL" : "text", 8)),
    text(significant(high - pad), left - 16, y(high - pad) + 9, 150, { size: 26, colour: "faint", anchor: "end" }),
    text(significant(low + pad), left - 16, y(low + pad) + 9, 150, { size: 26, colour: "faint", anchor: "end" }),
    text(points[0]!.day, left, top + panelHeight + 44, 300, { size: 26, colour: "faint" }),
    text(days.at(-1)!.day, right, top + panelHeight + 44, 300, { size: 26, colour: "faint", anchor: "end" }),
    text(
      `${check.metric}${check.unit === "" ? "" : ` in ${check.unit}`}, ${step === 1 ? "by day" : `mean of ${step} days`}, ${count(days.reduce((sum, one) => sum + one.n, 0))} labels`,
      (left + right) / 2,
      top + panelHeight + 84,
      right - left,
      { size: 26, colour: "faint", anchor: "middle" },
    ),
  ];
}

/** The value that must not be passed; null where it is not known. */
function boundOf({ kind, limit, baseline, margin: room, direction }: WatchCheck): number | null {
  if (kind === "limit") return direction === "higher" ? (limit?.min ?? null) : (limit?.max ?? null);
  if (baseline === null || room === null) return null;
  return direction === "higher" ? baseline - room : baseline + room;
}

/** Two bars per cell. Of many cells the last ones are one. */
function sharesPanel({ cells, reference, live }: Distribution, top: number): string[] {
  const sum = (counts: readonly number[]) =>
    Math.max(
      1,
      counts.reduce((all, one) => all + one, 0),
    );
  const [n, m] = [sum(reference), sum(live)];
  const shown = cells.slice(0, maxCells).map((name, i) => {
    const rest = i === maxCells - 1 && cells.length > maxCells;
    const share = (counts: readonly number[], all: number) =>
      (rest ? counts.slice(i).reduce((total, one) => total + one, 0) : (counts[i] ?? 0)) / all;
    return { name: rest ? "others" : name, gate: share(reference, n), live: share(live, m) };
  });
  const most = Math.max(1e-9, ...shown.flatMap((one) => [one.gate, one.live]));
  const step = (width - 2 * margin) / shown.length;
  const tall = panelHeight - 60;
  const bars = shown.flatMap(({ name, gate, live: now }, i) => {
    const left = margin + i * step;
    const [a, b] = [(gate / most) * tall, (now / most) * tall];
    const base = top + panelHeight - 20;
    const percent = (share: number) => (100 * share).toFixed(0);
    return [
      rect(left + step * 0.08, base - a, step * 0.4, a, "gate"),
      rect(left + step * 0.52, base - b, step * 0.4, b, "live"),
      text(percent(gate), left + step * 0.28, base - a - 8, step, { size: 24, colour: "faint", anchor: "middle" }),
      text(percent(now), left + step * 0.72, base - b - 8, step, { size: 24, colour: "live", anchor: "middle" }),
      text(
        name.replace(/^(below|from) /, (_, word: string) => (word === "below" ? "<" : "≥")).replace(" to ", "–"),
        left + step / 2,
        base + 30,
        step * 1.1,
        { size: 20, colour: "faint", anchor: "middle" },
      ),
    ];
  });
  return [
    ...bars,
    rect(margin, top + panelHeight + 44, 26, 26, "gate"),
    text(`gate, % of ${count(n)}`, margin + 38, top + panelHeight + 68, 420, { size: 28, colour: "faint" }),
    rect(margin + 460, top + panelHeight + 44, 26, 26, "live"),
    text(`live, % of ${count(m)}`, margin + 498, top + panelHeight + 68, 420, { size: 28, colour: "faint" }),
  ];
}
