import { Gauge, type Registry } from "prom-client";
import { referenceCounts } from "../../../models/profile/cells.ts";
import { mergeHours, type LiveCounts } from "../../../models/profile/live.ts";
import type { ProfileVariable } from "../../../models/profile/schema.ts";
import type { Recorder } from "../watch/recorder.ts";

const WINDOW_HOURS = 24;
/** Answers of a profile whose cells are shown, and cells of one. They bound the number of series. */
const MAX_ANSWERS = 8;
const MAX_CELLS = 16;

const qualities = ["missing", "unseen", "outside", "cut", "placeholder", "other"] as const;
type Quality = (typeof qualities)[number];
type Rate = { quality: Quality; live: number; liveRows: number; gate: number; gateRows: number };

const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0);
const ratio = (part: number, all: number): number => (all === 0 ? 0 : part / all);

/**
 * Gauges of what a model saw and answered in the last 24 hours, beside what the gate's rows were. They are counted at
 * each scrape from what `/watch` shows, so in steps of ten rows and more, and begin anew at a restart. Replicas add up.
 */
export function profileSeries(registry: Registry, watched: () => readonly { model: string; watch: Recorder }[]): void {
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  // prom-client collects in the order of creation: this one comes first and sets all others.
  const loaded = new Gauge({
    name: "profile_loaded",
    help: "1 where the server has the gate's profile of the model, and so counts features and answers",
    labelNames: ["model"],
    registers: [registry],
    collect: () => {
      collect();
    },
  });
  const rows = gauge("profile_rows", "Rows that were answered in the last 24 hours", ["model"]);
  const refused = gauge("profile_refused_rows", "Rows that were refused in the last 24 hours, by reason", [
    "model",
    "reason",
  ]);
  const pending = gauge("profile_pending_rows", "Rows that are not shown until there are ten of them", ["model"]);
  const answers = gauge("profile_answer_rows", "Answers of the last 24 hours by cell of the gate's profile", [
    "model",
    "answer",
    "cell",
  ]);
  const reference = gauge("profile_reference_share", "Share of the gate's answers in each cell", [
    "model",
    "answer",
    "cell",
  ]);
  const qualityShare = gauge(
    "profile_quality_share",
    "Share of values of the last 24 hours that were missing, unseen, outside, cut or a placeholder: the worst feature's",
    ["model", "quality"],
  );
  const qualityRise = gauge(
    "profile_quality_rise",
    "The same against the gate's rows, as a difference of shares: the worst feature's",
    ["model", "quality"],
  );
  const labelled = gauge("profile_labelled_rows", "Answers of the last 24 hours with a true label", ["model", "head"]);
  const agreement = gauge(
    "profile_label_agreement",
    "Share of the labelled answers of the last 24 hours whose class was true",
    ["model", "head"],
  );
  const events = gauge("profile_event_rows", "Answers of the last 24 hours with a business event, by its name", [
    "model",
    "event",
  ]);
  const eventSum = gauge("profile_event_value", "Sum of the values of these events", ["model", "event"]);
  const all = [
    loaded,
    rows,
    refused,
    pending,
    answers,
    reference,
    qualityShare,
    qualityRise,
    labelled,
    agreement,
    events,
    eventSum,
  ];
  const collect = (): void => {
    for (const one of all) one.reset();
    for (const { model, watch } of watched()) {
      const counts = watch.snapshot(WINDOW_HOURS);
      loaded.set({ model }, counts.profile === null ? 0 : 1);
      pending.set({ model }, counts.pending);
      const hour = total(counts);
      rows.set({ model }, hour.answered);
      for (const [reason, count] of Object.entries(hour.refused)) refused.set({ model, reason }, count);
      for (const [event, { n, sum: value }] of Object.entries(hour.events)) {
        events.set({ model, event }, n);
        eventSum.set({ model, event }, value);
      }
      for (const { answer, cell, live, share } of answerCells(counts, hour.counts)) {
        answers.set({ model, answer, cell }, live);
        reference.set({ model, answer, cell }, share);
      }
      for (const [quality, { share, rise }] of worst(counts, hour.counts)) {
        qualityShare.set({ model, quality }, share);
        qualityRise.set({ model, quality }, rise);
      }
      for (const [i, head] of (counts.profile?.labels ?? []).entries()) {
        const cells = hour.labelled[i] ?? [];
        const k = head.kind === "classes" ? head.classes.length : 0;
        const confusion = k === 0 ? cells : cells.slice(0, k * k);
        const n = sum(confusion);
        labelled.set({ model, head: head.head }, n);
        if (k > 0 && n > 0)
          agreement.set({ model, head: head.head }, sum(confusion.filter((_, at) => at % (k + 1) === 0)) / n);
      }
    }
  };
}

type Total = Pick<LiveCounts["hours"][number], "answered" | "refused" | "counts" | "labelled" | "events">;
const nothing: Total = {
  answered: 0,
  refused: { missing: 0, outside: 0, unseen: 0, tooLong: 0, other: 0 },
  counts: [],
  labelled: [],
  events: {},
};

/** All hours as one. */
function total({ hours }: LiveCounts): Total {
  const [whole] = mergeHours(hours.map((one) => [{ ...one, hour: "all" }]));
  return whole ?? nothing;
}

function answerCells({ profile }: LiveCounts, live: readonly (readonly number[])[]) {
  return (profile?.variables ?? [])
    .map((variable, i) => ({ variable, counts: live[i] ?? [] }))
    .filter(({ variable: { role } }) => role === "answer")
    .slice(0, MAX_ANSWERS)
    .flatMap(({ variable, counts }) => {
      const names = cellNames(variable);
      // The last cell of numbers, `outside`, counts rows besides their cell.
      const gate = referenceCounts(variable).slice(0, names.length);
      const all = sum(gate);
      const rest = (values: readonly number[]) => sum(values.slice(MAX_CELLS - 1, names.length));
      const folded = names.length > MAX_CELLS;
      return names
        .slice(0, folded ? MAX_CELLS - 1 : names.length)
        .map((cell, at) => ({
          answer: variable.name,
          cell,
          live: counts[at] ?? 0,
          share: ratio(gate[at] ?? 0, all),
        }))
        .concat(
          folded ? [{ answer: variable.name, cell: "rest", live: rest(counts), share: ratio(rest(gate), all) }] : [],
        );
    });
}

/** Numbers: the index of the cell, and missing. Categories: their names, and other. */
function cellNames(variable: ProfileVariable): string[] {
  switch (variable.kind) {
    case "numbers":
      return [...variable.counts.map((_, i) => String(i)), "missing"];
    case "categories":
      return [...variable.categories, "other"];
    case "rate":
      return ["yes", "no"];
  }
}

/** Per quality, of the feature whose share rose most. */
function worst({ profile }: LiveCounts, live: readonly (readonly number[])[]) {
  const found = new Map<Quality, { share: number; rise: number }>();
  for (const [i, variable] of (profile?.variables ?? []).entries())
    for (const { quality, ...rate } of rates(variable, live[i] ?? [])) {
      const share = ratio(rate.live, rate.liveRows);
      const rise = rate.liveRows === 0 ? 0 : share - ratio(rate.gate, rate.gateRows);
      const before = found.get(quality);
      if (before === undefined || rise > before.rise) found.set(quality, { share, rise });
    }
  return found;
}

function rates(variable: ProfileVariable, live: readonly number[]): Rate[] {
  if (variable.role === "answer") return [];
  const gate = referenceCounts(variable);
  const rate = (quality: Quality, at: number, rows: number): Rate => ({
    quality,
    live: live[at] ?? 0,
    liveRows: sum(live.slice(0, rows)),
    gate: gate[at] ?? 0,
    gateRows: sum(gate.slice(0, rows)),
  });
  switch (variable.kind) {
    case "rate":
      return [rate(qualities.find((word) => variable.name.endsWith(` ${word}`)) ?? "other", 0, 2)];
    case "numbers": {
      const cells = variable.counts.length;
      return [
        rate("missing", cells, cells + 1),
        ...(variable.range === null ? [] : [rate("outside", cells + 1, cells)]),
      ];
    }
    case "categories":
      return [rate("unseen", variable.categories.length, variable.categories.length + 1)];
  }
}
