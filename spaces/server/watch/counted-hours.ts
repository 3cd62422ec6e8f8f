import type { CellLayout, LabelCells, SliceCells } from "../../../models/profile/cells.ts";
import { refusalKinds, type HourCounts, type RefusalKind } from "../../../models/profile/live.ts";
import { MIN_CELL_ROWS } from "../../../models/profile/schema.ts";

/** Hours that a server keeps: two weeks. */
const KEPT_HOURS = 14 * 24;
const HOUR_MS = 3_600_000;

type Refusals = Record<RefusalKind, number>;
type Events = Map<string, { n: number; sum: number }>;
type Hour = { answered: number; refused: Refusals; cells: Uint32Array; labels: Uint32Array; events: Events };

export const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS);

/**
 * Counts by hour in bounded memory. Nothing is shown of fewer than ten rows: they wait in `pending` until there are ten,
 * so that two looks never differ by a single row. Labels wait likewise and count for the hour of the latest answer among
 * them; events wait by name.
 */
export function countedHours(
  layout: CellLayout,
  labels: { heads: LabelCells[]; sliced: SliceCells[][]; size: number },
  now: () => number,
) {
  const noRefusals = (): Refusals => Object.fromEntries(refusalKinds.map((kind) => [kind, 0])) as Refusals;
  const empty = (): Hour => ({
    answered: 0,
    refused: noRefusals(),
    cells: new Uint32Array(layout.size),
    labels: new Uint32Array(labels.size),
    events: new Map(),
  });
  const hours = new Map<number, Hour>();
  let current = hourOf(now());
  let pending = empty();
  let pendingRows = 0;
  const pendingLabels = { n: 0, hour: 0, cells: new Uint32Array(labels.size) };
  const pendingEvents: Events = new Map();

  const at = (hour: number): Hour => {
    let found = hours.get(hour);
    if (found === undefined) hours.set(hour, (found = empty()));
    return found;
  };

  const release = () => {
    if (pendingRows < MIN_CELL_ROWS) return;
    const into = at(current);
    into.answered += pending.answered;
    for (const kind of refusalKinds) into.refused[kind] += pending.refused[kind];
    addTo(into.cells, pending.cells);
    pending = empty();
    pendingRows = 0;
  };

  /** Called before anything is counted: what waits belongs to the hour that ends. */
  const turn = (): number => {
    const hour = hourOf(now());
    if (hour === current) return hour;
    release();
    current = hour;
    for (const kept of hours.keys()) if (kept <= hour - KEPT_HOURS) hours.delete(kept);
    return hour;
  };

  return {
    /** @returns the hour, and the cells to count one more answered row in */
    answered(): { hour: number; cells: Uint32Array } {
      const hour = turn();
      pending.answered++;
      pendingRows++;
      return { hour, cells: pending.cells };
    },
    refused(kind: RefusalKind): void {
      turn();
      pending.refused[kind]++;
      pendingRows++;
    },
    /** @param add counts one labelled answer in the cells that it is given */
    labelled(hour: number, add: (cells: Uint32Array) => void): void {
      turn();
      add(pendingLabels.cells);
      pendingLabels.n++;
      pendingLabels.hour = Math.max(pendingLabels.hour, hour);
      if (pendingLabels.n < MIN_CELL_ROWS) return;
      addTo(at(pendingLabels.hour).labels, pendingLabels.cells);
      pendingLabels.cells.fill(0);
      pendingLabels.n = 0;
      pendingLabels.hour = 0;
    },
    event(name: string, value: number): void {
      const hour = turn();
      const waiting = pendingEvents.get(name) ?? { n: 0, sum: 0 };
      pendingEvents.set(name, { n: waiting.n + 1, sum: waiting.sum + value });
      if (waiting.n + 1 < MIN_CELL_ROWS) return;
      const { events } = at(hour);
      const before = events.get(name) ?? { n: 0, sum: 0 };
      events.set(name, { n: before.n + waiting.n + 1, sum: before.sum + waiting.sum + value });
      pendingEvents.delete(name);
    },
    /** The last `most` hours, oldest first, and how many rows are not shown yet. */
    shown(most: number): { hours: HourCounts[]; pending: number } {
      turn();
      release();
      const from = current - Math.min(most, KEPT_HOURS);
      return {
        hours: [...hours]
          .filter(([hour]) => hour > from)
          .toSorted(([a], [b]) => a - b)
          .map(([hour, { answered, refused, cells, labels: labelled, events }]) => ({
            hour: new Date(hour * HOUR_MS).toISOString().slice(0, 13),
            answered,
            refused,
            counts: layout.variables.map(({ from: start, size }) => [...cells.subarray(start, start + size)]),
            labelled: labels.heads.map(({ from: start, size }) => [...labelled.subarray(start, start + size)]),
            ...(labels.sliced.some((slices) => slices.length > 0)
              ? {
                  sliced: labels.sliced.map((slices) =>
                    slices.map(({ from: start, size }) => [...labelled.subarray(start, start + size)]),
                  ),
                }
              : {}),
            events: Object.fromEntries(events),
          })),
        pending: pendingRows,
      };
    },
  };
}

function addTo(into: Uint32Array, more: Uint32Array): void {
  for (let i = 0; i < more.length; i++) into[i]! += more[i]!;
}
