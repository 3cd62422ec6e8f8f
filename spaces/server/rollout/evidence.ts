import { z } from "zod";
import type { HeadResult } from "../../../models/core/postprocess/result.ts";
import type { RolloutMetrics } from "../../../models/core/rollout/settings.ts";
import { differencesSeen, observeDifference } from "../../../eval/stats/sequential/canary-evidence.ts";
import {
  observeArm,
  startUnpairedBlocks,
  type UnpairedBlocks,
} from "../../../eval/stats/sequential/unpaired-blocks.ts";
import { agreementOf, keptAnswer, labelValue, type KeptAnswer } from "./answer-value.ts";
import { eventMetric, phasesSchema, samePhases, startPhases, type Phase, type Phases } from "./phases.ts";
import type { Arm } from "./units.ts";

/** One row's outcome as evidence. `heads` is null where it got no answer; `ms` is null where its time says nothing. */
export type Observed = { heads: Readonly<Record<string, HeadResult>> | null; ms: number | null };

/** Answers that wait for events, at most; later ones are not counted. */
const MAX_WAITING_EVENTS = 100_000;
const MINUTE_MS = 60_000;

type Kept =
  | { phase: "shadow"; baseline: KeptAnswer; candidate: KeptAnswer | null }
  | { phase: "canary"; arm: Arm; answer: KeptAnswer };
type WaitingEvent = { name: string; arm: Arm; dueAt: number; value: number };

/**
 * Turns answers, labels and events into the evidence of each metric. Of a row it keeps the answer's label or number by
 * prediction id, for as many of the last rows as `capacity`.
 */
export function createEvidence(metrics: RolloutMetrics, alpha: number, capacity: number, now: () => number) {
  let phases: Phases = startPhases(metrics, alpha);
  const kept = new Map<string, Kept>();
  const blocks = new Map<string, UnpairedBlocks>();
  const events = new Map<string, { due: WaitingEvent[]; byId: Map<string, WaitingEvent> }>();
  let ratio = 1;

  const differ = (phase: Phase, metric: string, difference: number) => {
    const one = phases[phase].find((evidence) => evidence.metric === metric);
    if (one !== undefined) observeDifference(one, difference);
  };
  const observe = (metric: string, arm: Arm, value: number) => {
    let state = blocks.get(metric);
    if (state === undefined) blocks.set(metric, (state = startUnpairedBlocks(ratio)));
    const difference = observeArm(state, arm, value);
    if (difference !== null) differ("canary", metric, difference);
  };
  const keep = (id: string | null, row: Kept) => {
    if (id === null || metrics.labels === undefined) return;
    kept.set(id, row);
    if (kept.size > capacity) kept.delete(kept.keys().next().value!);
  };
  const timely = ({ ms }: Observed): 0 | 1 | null =>
    metrics.latency === undefined || ms === null ? null : ms <= metrics.latency.withinMs ? 1 : 0;

  return {
    of: (phase: Phase) => phases[phase],
    /** The share of the candidate has changed: how many rows of the live version each of its rows is held against. */
    share(share: number): void {
      ratio = share === 0 ? 1 : Math.max(1, Math.round((1 - share) / share));
      blocks.clear();
    },
    /** Two answers to one row. */
    pair(baseline: Observed, candidate: Observed, id: string | null): void {
      differ("shadow", "errors", Number(candidate.heads !== null) - Number(baseline.heads !== null));
      if (baseline.heads === null) return;
      const [a, b] = [timely(baseline), candidate.heads === null ? 0 : timely(candidate)];
      if (a !== null && b !== null) differ("shadow", "latency", b - a);
      if (metrics.agreement !== undefined)
        differ(
          "shadow",
          "agreement",
          candidate.heads === null ? -1 : agreementOf(baseline.heads, candidate.heads, metrics.agreement.tolerance) - 1,
        );
      keep(id, {
        phase: "shadow",
        baseline: keptAnswer(baseline.heads),
        candidate: candidate.heads === null ? null : keptAnswer(candidate.heads),
      });
    },
    /** The one answer to a row of a canary. */
    row(arm: Arm, observed: Observed, id: string | null): void {
      observe("errors", arm, Number(observed.heads !== null));
      const inTime = observed.heads === null ? 0 : timely(observed);
      if (metrics.latency !== undefined && inTime !== null) observe("latency", arm, inTime);
      if (observed.heads === null) return;
      keep(id, { phase: "canary", arm, answer: keptAnswer(observed.heads) });
      if (id === null) return;
      for (const [name, { withinMinutes }] of Object.entries(metrics.events)) {
        let waiting = events.get(name);
        if (waiting === undefined) events.set(name, (waiting = { due: [], byId: new Map() }));
        if (waiting.due.length >= MAX_WAITING_EVENTS) continue;
        const event = { name, arm, dueAt: now() + withinMinutes * MINUTE_MS, value: 0 };
        waiting.due.push(event);
        waiting.byId.set(id, event);
      }
    },
    /** A true label that was recorded. Each label counts once. */
    label(id: string, head: string | null, label: string | number | boolean): void {
      const row = kept.get(id);
      if (row === undefined) return;
      kept.delete(id);
      const within = metrics.labels?.within ?? null;
      if (row.phase === "canary") {
        const value = labelValue(row.answer, head, label, within);
        if (value !== null) observe("labels", row.arm, value);
        return;
      }
      const a = labelValue(row.baseline, head, label, within);
      const b = row.candidate === null ? 0 : labelValue(row.candidate, head, label, within);
      if (a !== null && b !== null) differ("shadow", "labels", b - a);
    },
    /** An event that was recorded. */
    event(id: string, name: string, value: number): void {
      const waiting = events.get(name)?.byId.get(id);
      const max = metrics.events[name]?.max;
      if (waiting !== undefined && max !== undefined) waiting.value = Math.min(1, Math.max(0, value / max));
    },
    /** Counts the answers whose time for an event is over, in the order in which they were given. */
    ripen(): void {
      for (const [name, { due, byId }] of events) {
        const at = now();
        let ripe = 0;
        while (ripe < due.length && due[ripe]!.dueAt <= at) {
          const { arm, value } = due[ripe++]!;
          observe(eventMetric(name), arm, value);
        }
        if (ripe === 0) continue;
        const over = new Set(due.splice(0, ripe));
        for (const [id, event] of byId) {
          if (!over.has(event)) break;
          byId.delete(id);
        }
      }
    },
    /** Differences of a phase, over all metrics. */
    differences: (phase: Phase): number => phases[phase].reduce((sum, one) => sum + differencesSeen(one), 0),
    state: (): Phases => structuredClone(phases),
    /** Takes evidence up again that was handed back. @returns whether it is on the same metrics */
    restore(given: z.output<typeof phasesSchema>): boolean {
      if (!samePhases(given, phases)) return false;
      phases = structuredClone(given);
      return true;
    },
  };
}
