import { z } from "zod";
import { didYouMean } from "../../../models/core/did-you-mean.ts";
import { addLabelled, addSliced, type LabelCells, type SliceCells } from "../../../models/profile/cells.ts";
import type { countedHours } from "./counted-hours.ts";
import type { RememberedPredictions } from "./predictions.ts";

/** Slices that one label names at most. */
const MAX_SLICES = 8;
/** Names of business events that one model counts at most. */
const MAX_EVENTS = 32;

/** One true label of a prediction, or one business event about it. */
export const feedbackItem = z
  .strictObject({
    predictionId: z.string().min(1).max(64).describe("As the answer carries it; of row i of a batch ID:i."),
    label: z
      .union([z.string().max(200), z.number(), z.boolean()])
      .optional()
      .describe("What was true: one of the head's labels, or a number."),
    head: z.string().max(200).optional().describe("Needed where several heads take labels."),
    slices: z
      .record(z.string().max(64), z.union([z.string().max(100), z.number(), z.boolean()]))
      .refine((slices) => Object.keys(slices).length <= MAX_SLICES, `at most ${MAX_SLICES}`)
      .optional()
      .describe(
        "With a label: the row's slices as the dataset names them, e.g. {language: de}. Others are not counted.",
      ),
    event: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,31}$/, "a name of lower-case letters, digits and _, e.g. click")
      .optional()
      .describe("A business event, counted once per prediction."),
    value: z.number().min(-1e12).max(1e12).optional().describe("Of the event; 1 unless given."),
  })
  .refine((item) => (item.label === undefined) !== (item.event === undefined), {
    error: "exactly one of `label` and `event`",
  })
  .refine((item) => item.event !== undefined || item.value === undefined, { error: "`value` belongs to an event" })
  .refine((item) => item.label !== undefined || item.slices === undefined, { error: "`slices` belong to a label" });
type FeedbackItem = z.infer<typeof feedbackItem>;

/** What became of one item. `invalid`, `unknown` and `conflict` change nothing. */
export type FeedbackResult =
  | { result: "recorded" | "repeated" }
  | { result: "invalid" | "unknown" | "conflict"; field: string; problem: string; expected?: string };

export type Feedback = {
  take(item: FeedbackItem): FeedbackResult;
  /** Results since the start. */
  tally(): Record<string, number>;
};

/**
 * Joins true labels and events with the answers that they are about. Every answer takes one label per head and one event
 * of each name: the same again changes nothing, another one is refused.
 */
export function createFeedback(
  heads: readonly LabelCells[],
  ring: RememberedPredictions,
  hours: ReturnType<typeof countedHours>,
  slices: { names: ReadonlyMap<string, number>; byHead: readonly (readonly SliceCells[])[] },
): Feedback {
  const events = new Map<string, number>();
  const counts: Record<string, number> = {};

  const take = (item: FeedbackItem): FeedbackResult => {
    const found = ring.find(item.predictionId);
    if (found === null)
      return {
        result: "unknown",
        field: "predictionId",
        problem:
          "no such prediction is remembered here: it is too old, or another instance made it, or one before a restart",
      };
    if (item.event !== undefined) return event(found.slot, item.event, item.value ?? 1);
    return label(found, item);
  };

  const event = (slot: number, name: string, value: number): FeedbackResult => {
    let bit = events.get(name);
    if (bit === undefined) {
      if (events.size === MAX_EVENTS)
        return {
          result: "invalid",
          field: "event",
          problem: `more than ${MAX_EVENTS} different events`,
          expected: `one of ${[...events.keys()].join(", ")}`,
        };
      events.set(name, (bit = events.size));
    }
    if (((ring.events[slot]! >>> bit) & 1) === 1) return { result: "repeated" };
    ring.events[slot]! |= 1 << bit;
    hours.event(name, value);
    return { result: "recorded" };
  };

  const label = ({ slot, hour }: { slot: number; hour: number }, item: FeedbackItem): FeedbackResult => {
    const names = heads.map(({ head }) => head.head);
    const k = item.head === undefined ? (heads.length === 1 ? 0 : -1) : names.indexOf(item.head);
    if (k === -1)
      return {
        result: "invalid",
        field: "head",
        problem: item.head === undefined ? "several heads take labels" : "no such head takes labels",
        expected: `one of ${names.join(", ")}`,
      };
    const cells = heads[k]!;
    const truth = truthOf(cells, item.label!);
    if (typeof truth === "string")
      return { result: "invalid", field: "label", problem: "not a label of the head", expected: truth };
    const at = slot * heads.length + k;
    if (Number.isNaN(ring.values[at]!))
      return { result: "unknown", field: "predictionId", problem: "the row had no answer of this head" };
    const before = ring.truths[at]!;
    if (before === truth) return { result: "repeated" };
    if (!Number.isNaN(before))
      return {
        result: "conflict",
        field: "label",
        problem: "the prediction has another label already, which stays",
      };
    ring.truths[at] = truth;
    const answer = { value: ring.values[at]!, score: ring.scores[at]! };
    const named = Object.entries(item.slices ?? {}).flatMap(([field, value]) => {
      const place = slices.names.get(`${field}=${String(value)}`);
      return place === undefined ? [] : [slices.byHead[k]![place]!];
    });
    hours.labelled(hour, (into) => {
      addLabelled(cells, truth, answer, into);
      for (const one of named) addSliced(cells, one, truth, answer, into);
    });
    return { result: "recorded" };
  };

  return {
    take(item) {
      const result = take(item);
      counts[result.result] = (counts[result.result] ?? 0) + 1;
      return result;
    },
    tally: () => ({ ...counts }),
  };
}

/** The label as a number; the expected form where it is none. */
function truthOf({ head }: LabelCells, label: NonNullable<FeedbackItem["label"]>): number | string {
  if (head.kind === "errors") return typeof label === "number" && Number.isFinite(label) ? label : "a finite number";
  const index = head.classes.indexOf(String(label));
  if (index !== -1) return index;
  const near = didYouMean(String(label), head.classes);
  return `one of ${head.classes.join(", ")}${near === null ? "" : ` (is it ${near}?)`}`;
}
