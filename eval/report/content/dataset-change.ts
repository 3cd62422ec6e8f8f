import type { DatasetChange } from "../../schema/verdict.ts";
import { count, significant } from "../text/format.ts";
import { type Glyphs, unicode } from "../text/glyphs.ts";

/** A change of the data in words and figures. `facts` and `figures` hold text from outside, to be escaped. */
export type DatasetChangeText = {
  headline: string;
  facts: { what: string; text: string }[];
  figures: { who: string; metric: string; slice: string; base: string; candidate: string }[];
};

/** Labels of a head in a sentence. */
const maxLabels = 8;

export function datasetChangeText(change: DatasetChange, glyphs: Glyphs = unicode): DatasetChangeText {
  const {
    base,
    candidate,
    added,
    removed,
    changed,
    relabelled,
    examples,
    labels,
    slices,
    augmentations = [],
    judgedOn,
  } = change;
  const heads = new Set(change.figures.map(({ head }) => head)).size;
  const value = (number: number | null) => (number === null ? glyphs.dash : significant(number, 4, glyphs));
  const to = ` ${glyphs.arrow} `;
  const some = (ids: readonly string[], all: number) =>
    ids.length === 0 ? "" : ` (${ids.join(", ")}${all > ids.length ? ", …" : ""})`;
  const badRows =
    base.badRows === candidate.badRows ? "" : `; unreadable ${count(base.badRows)}${to}${count(candidate.badRows)}`;
  return {
    headline: `This candidate changes the data. It was judged on ${judgedOn === "base" ? "the base's rows, because the model changes too" : "its own rows, because nothing else changes"}.`,
    facts: [
      { what: "rows", text: `${count(base.rows)}${to}${count(candidate.rows)}${badRows}` },
      ...(added === 0 ? [] : [{ what: "added", text: `${count(added)}${some(examples.added, added)}` }]),
      ...(removed === 0 ? [] : [{ what: "removed", text: `${count(removed)}${some(examples.removed, removed)}` }]),
      ...(changed === 0
        ? []
        : [
            {
              what: "changed",
              text: `${count(changed)}${some(examples.changed, changed)}${relabelled === 0 ? "" : `, ${count(relabelled)} of them with another true value`}`,
            },
          ]),
      ...labels.map((one) => ({
        what: `true values of ${one.head}`,
        text: `${spread(one.base, value)}${to}${spread(one.candidate, value)}`,
      })),
      ...slices.flatMap(({ column, gained, lost }) => [
        ...(gained.length === 0 ? [] : [{ what: `new in ${column}`, text: gained.join(", ") }]),
        ...(lost.length === 0 ? [] : [{ what: `lost from ${column}`, text: lost.join(", ") }]),
      ]),
      ...augmentations.map((one) => ({
        what: `augmentation ${one.name}`,
        text: `${one.base ?? "none"}${to}${one.candidate ?? "none"}`,
      })),
    ],
    figures: change.figures.map((one) => ({
      who: one.model,
      metric: `${one.metric}${heads > 1 ? ` of ${one.head}` : ""}${one.unit === "" ? "" : ` (${one.unit})`}`,
      slice: one.slice,
      base: value(one.base),
      candidate: value(one.candidate),
    })),
  };
}

function spread(labels: DatasetChange["labels"][number]["base"], value: (number: number) => string): string {
  if ("mean" in labels) return `mean ${value(labels.mean)}`;
  const all = Object.entries(labels.rows);
  const shown = all.slice(0, maxLabels).map(([label, rows]) => `${label} ${count(rows)}`);
  return `${shown.join(", ")}${all.length > maxLabels ? `, and ${count(all.length - maxLabels)} more` : ""}`;
}
