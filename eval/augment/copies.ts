import { createHash } from "node:crypto";
import { EvaluationError } from "../../models/core/errors.ts";
import { augmentationColumn, type Augmentation } from "../../models/core/manifest/augmentations.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import { spansStep } from "../../models/core/postprocess/spans-step.ts";
import { AlteredAudio } from "../../models/core/preprocess/altered-audio.ts";
import { AlteredImage } from "../../models/core/preprocess/altered-image.ts";
import { copyId } from "../dataset/copy-id.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import type { DatasetRow } from "../dataset/row.ts";
import type { TrueSpans, TrueValue } from "../dataset/true-value.ts";
import type { RandomStream } from "../stats/random.ts";
import { alterImage, isUnaltered } from "./alter-image.ts";
import { noisySound } from "./noisy-sound.ts";
import { chosenRows, rowStream } from "./row-stream.ts";
import { withTypos, type Mistyped } from "./typos.ts";

/**
 * A dataset with the altered copies of its rows that its augmentations ask for, as a dataset of their own: what counts
 * rows, times them or plots them sees none of them. A copy has its row's true values, slices, group and weight. Pictures,
 * sounds and texts are altered when they are read, so that no copy is kept. Where a typing error moves true spans, they move.
 *
 * @param manifest says which spans are places of which text
 * @throws EvaluationError `augmentation-id` where a row has an id that a copy needs
 */
export function withCopies(
  dataset: EvaluationDataset,
  manifest: Pick<Manifest, "preprocess" | "postprocess">,
): EvaluationDataset {
  const { augmentations = [] } = dataset;
  if (augmentations.length === 0) return dataset;
  const ids = dataset.rows.map(({ id }) => id);
  const known = new Set(ids);
  const rows: DatasetRow[] = [];
  const origins: number[] = [];
  for (const one of augmentations) {
    const heads = spansHeadsOf(manifest, one.field);
    // What has nothing to alter is no altered copy, and would only hide what the others show.
    const able = [...dataset.rows.keys()].filter((at) => holds(dataset.rows[at]!.row, one.field));
    const chosen = chosenRows(
      one,
      dataset.id,
      able.map((at) => ids[at]!),
    );
    for (const at of chosen.map((position) => able[position]!)) {
      const row = dataset.rows[at]!;
      const id = copyId(one.name, row.id);
      if (known.has(id))
        throw new EvaluationError({
          code: "augmentation-id",
          place: dataset.placeOf(ids.indexOf(id)),
          problem: `row ${id} has the id that the copy ${one.name} of row ${row.id} needs`,
          expected: "an augmentation of another name",
        });
      origins.push(at);
      rows.push({
        ...row,
        id,
        ...altered(one, dataset.id, row, heads),
        slices: { ...row.slices, [augmentationColumn]: one.name },
      });
    }
  }
  if (rows.length === 0) return dataset;
  const { maxBadRows } = dataset;
  const { augmentations: _declared, ...rest } = dataset;
  return {
    ...dataset,
    copies: {
      ...rest,
      digest: createHash("sha256").update(`sluice-dataset-copies 1\n${dataset.id}\n${dataset.digest}\n`).digest("hex"),
      rows,
      badRows: [],
      // A row that a model refuses, it refuses with every alteration.
      maxBadRows: typeof maxBadRows === "number" ? maxBadRows * augmentations.length : maxBadRows,
      slices: [...dataset.slices, augmentationColumn],
      placeOf: (index) => `${dataset.placeOf(origins[index]!)}, ${rows[index]!.slices[augmentationColumn]}`,
      notes: [],
    },
  };
}

/** Whether a row has something in a field. The contents of a folder's files are read when they are used, so not here. */
function holds(row: Record<string, unknown>, field: string): boolean {
  const held = Object.getOwnPropertyDescriptor(row, field);
  return held !== undefined && (held.get !== undefined || (held.value ?? "") !== "");
}

/**
 * The row with a field that gives what it held before, altered, and its true values. What is no picture, sound or text
 * stays as it is.
 */
function altered(
  one: Augmentation,
  datasetId: string,
  { id, row, labels }: DatasetRow,
  spansHeads: readonly string[],
): Pick<DatasetRow, "row" | "labels"> {
  const random = () => rowStream(one, datasetId, id, "change");
  const spans = spansHeads.flatMap((head) => spansOf(labels[head]));
  const typed = (text: string) => mistyped(text, one as Typos, random(), spans);
  const value = (held: unknown): unknown => {
    if (one.kind === "typos") return typeof held === "string" ? typed(held).text : held;
    if (one.kind === "audio-noise")
      return (held ?? null) === null
        ? held
        : new AlteredAudio(held, (samples) => noisySound(samples, one.snrDb, random()));
    return (held ?? null) === null || isUnaltered(one)
      ? held
      : new AlteredImage(held, (pixels) => alterImage(one, pixels, random()));
  };
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(row)) as Record<string, unknown>;
  Object.defineProperty(copy, one.field, { get: () => value(row[one.field]), enumerable: true, configurable: true });
  if (spans.length === 0 || one.kind !== "typos") return { row: copy, labels };
  const text = row[one.field];
  if (typeof text !== "string") return { row: copy, labels };
  const { moved } = typed(text);
  const shifted = spansHeads.map(
    (head) =>
      [head, { kind: "spans" as const, spans: spansOf(labels[head]).map((span) => movedSpan(span, moved)) }] as const,
  );
  return { row: copy, labels: { ...labels, ...Object.fromEntries(shifted) } };
}

type Typos = Extract<Augmentation, { kind: "typos" }>;
type TrueSpan = TrueSpans["spans"][number];

const spansOf = (label: TrueValue | undefined): TrueSpan[] =>
  typeof label === "object" && label.kind === "spans" ? label.spans : [];

const movedSpan = ({ start, end, type }: TrueSpan, moved: Mistyped["moved"]): TrueSpan => ({
  start: moved(start),
  end: moved(end),
  type,
});

/** A text that would lose a whole span, of one letter that is left out, stays as it is. */
function mistyped(text: string, { rate }: Typos, random: RandomStream, spans: readonly TrueSpan[]): Mistyped {
  const made = withTypos(text, rate, random);
  const lost = spans.some((span) => made.moved(span.start) >= made.moved(span.end));
  return lost ? { text, moved: (offset) => offset } : made;
}

/** The heads whose true spans are places of a text that begins with this field. */
function spansHeadsOf(
  { preprocess, postprocess }: Pick<Manifest, "preprocess" | "postprocess">,
  field: string,
): string[] {
  return postprocess.flatMap((head) => {
    const step = head.kind === "spans" ? preprocess[spansStep(head, preprocess)] : undefined;
    return step?.kind === "text" && step.field === field ? [head.name] : [];
  });
}
