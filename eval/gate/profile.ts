import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../models/core/atomic-write.ts";
import type { Gates } from "../../models/core/manifest/gates.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { classificationAnswer } from "../../models/core/postprocess/classification.ts";
import type { Head } from "../../models/core/postprocess/schema.ts";
import { answerVariables, classesOf } from "../../models/profile/answers.ts";
import { featuresOf } from "../../models/profile/features.ts";
import {
  profileLabels,
  profileVariables,
  type LabelledValues,
  type VariableValues,
} from "../../models/profile/make.ts";
import { classColumn } from "../../models/core/manifest/gates.ts";
import { MAX_SLICES, type Profile } from "../../models/profile/schema.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import type { Predictions } from "../predictions/predictions.ts";
import type { ModelMetrics } from "../schema/metrics.ts";
import type { ModelIdentity } from "../schema/verdict.ts";
import { PROFILES } from "./profiles-folder.ts";

/** Rows whose features are counted at most. Decoding an image takes as long as a thousand tables' rows. */
const MAX_OBSERVED = { image: 500, other: 20_000 };

/** Rows of a dataset whose features its profile holds, evenly over them. */
export function observedRows(manifest: LoadedManifest["manifest"], rows: number): number[] {
  const images = Object.values(manifest.preprocess).some(({ kind }) => kind === "image");
  const most = Math.min(rows, images ? MAX_OBSERVED.image : MAX_OBSERVED.other);
  return Array.from({ length: most }, (_, i) => Math.floor((i * rows) / most));
}

/** What a profile takes of a run. */
export type ProfiledRun = {
  identity: ModelIdentity;
  predictions: ReadonlyMap<string, Predictions>;
  /** Features of the observed rows; null for a row that cannot be used. */
  features: readonly (Float64Array | null)[];
  /** Number of the dataset's rows without an answer. */
  refused: number;
};

/**
 * The profile of a candidate: how the features of the gate's rows and its answers to them are distributed, and what was
 * measured. It holds counts of at least ten rows, and no row.
 */
export function profileOf(
  { manifest }: LoadedManifest,
  run: ProfiledRun,
  dataset: Pick<EvaluationDataset, "id" | "digest" | "rows">,
  measurements: ModelMetrics["measurements"],
  gates: Gates,
): Profile {
  const { features, left } = featuresOf(manifest.preprocess);
  const observed = run.features.filter((one) => one !== null);
  const ofFeatures = features.map((feature, i): VariableValues => ({
    name: feature.name,
    role: feature.role,
    feature,
    values: Float64Array.from(observed, (values) => values[i]!),
  }));
  const heads = manifest.postprocess.flatMap((head) => {
    const predictions = run.predictions.get(head.name);
    return predictions === undefined ? [] : [ofHead(head, predictions)];
  });
  const variables = profileVariables([...ofFeatures, ...heads.flatMap(({ answers }) => answers)]);
  const { id, version, sha256 } = run.identity;
  return {
    schemaVersion: 1,
    model: { id, version, sha256 },
    dataset: { id: dataset.id, digest: dataset.digest, rows: dataset.rows.length },
    rows: { answered: dataset.rows.length - run.refused, refused: run.refused, observed: observed.length },
    variables,
    left,
    labels: profileLabels(
      heads.flatMap(({ labelled }) => (labelled === null ? [] : [labelled])),
      variables,
    ),
    performance: measuredOn(measurements, "all"),
    slices: slicesOf(measurements),
    rules: { gates, ...(manifest.watch === undefined ? {} : { watch: manifest.watch }) },
  };
}

function measuredOn(measurements: ModelMetrics["measurements"], on: string): Profile["performance"] {
  return measurements.flatMap(({ head, metric, slice, options, unit, result }) =>
    head !== null && slice === on && result.status === "ok" && Object.keys(options).length === 0
      ? [
          {
            head,
            metric,
            value: result.value,
            interval:
              result.interval === null
                ? null
                : { low: result.interval.low, high: result.interval.high, level: result.interval.level },
            unit,
            n: result.n,
          },
        ]
      : [],
  );
}

/** Figures that labels can show live. */
const liveMetrics = new Set(["accuracy", "mae"]);
/** A slice of fewer rows would tell of single ones, and shows nothing. */
const fewestRows = 30;

/** The slices by a column of the dataset, largest first. Classes are known from the table of answers. */
function slicesOf(measurements: ModelMetrics["measurements"]): NonNullable<Profile["slices"]> {
  const live = measurements.filter(({ metric }) => liveMetrics.has(metric));
  return [...new Set(live.map(({ slice }) => slice))]
    .filter((name) => name !== "all" && !name.startsWith(`${classColumn}=`))
    .map((name) => ({ name, performance: measuredOn(live, name).filter(({ n }) => n >= fewestRows) }))
    .filter(({ performance }) => performance.length > 0)
    .toSorted((a, b) => b.performance[0]!.n - a.performance[0]!.n)
    .slice(0, MAX_SLICES);
}

/** A head's answers and true values over the gate's rows, read as the server reads its own answers. */
function ofHead(head: Head, predictions: Predictions): { answers: VariableValues[]; labelled: LabelledValues | null } {
  const { labels, scores, answers: lists } = predictions;
  const [first, second] = answerVariables([head]);
  const numbers = (values: Float64Array): VariableValues => ({
    name: first!.name,
    role: "answer",
    kind: "numbers",
    values,
  });
  switch (head.kind) {
    case "classification": {
      const classes = classesOf(head);
      const binary = classes.length === 2;
      const answer = classificationAnswer(head);
      const width = binary ? 1 : classes.length;
      const results = Array.from(labels, (_, i) =>
        answer(
          binary
            ? head.labels.map((label) => (label === classes[1] ? scores[i]! : 1 - scores[i]!))
            : Array.from(scores.subarray(i * width, (i + 1) * width)),
        ),
      );
      const score = Float64Array.from(results, (result) => result.score);
      const answered = results.map(({ label }) => label);
      return {
        answers: [
          numbers(score),
          { name: second!.name, role: "answer", kind: "categories", values: answered, declared: classes },
        ],
        labelled: {
          head: head.name,
          kind: "classes",
          classes,
          truth: labels,
          answer: answered.map((label) => classes.indexOf(label)),
          score: binary ? score : null,
        },
      };
    }
    case "regression":
      return {
        answers: [numbers(scores)],
        labelled: {
          head: head.name,
          kind: "errors",
          errors: labels.map((label, i) => Math.abs(scores[i]! - label)),
        },
      };
    case "series":
      return {
        answers: [
          numbers(
            predictions.forecasts === undefined
              ? scores
              : scores.filter((_, i) => predictions.forecasts!.steps[i] === 1),
          ),
        ],
        labelled: null,
      };
    case "ranking":
      return {
        answers: [
          {
            name: first!.name,
            role: "answer",
            kind: "categories",
            values: lists?.kind === "ranking" ? lists.ranked.map(([item]) => item ?? "") : [],
            declared: null,
          },
        ],
        labelled: null,
      };
    case "spans":
      return {
        answers: [numbers(Float64Array.from(lists?.kind === "spans" ? lists.predicted : [], (spans) => spans.length))],
        labelled: null,
      };
    case "text":
      return {
        answers: [numbers(Float64Array.from(lists?.kind === "text" ? lists.hypotheses : [], (text) => text.length))],
        labelled: null,
      };
  }
}

/** Writes profiles/MODEL.json, and says where it is and what its digest is. */
export async function writeProfile(out: string, profile: Profile): Promise<{ file: string; sha256: string }> {
  const file = `${PROFILES}/${profile.model.id}.json`;
  const bytes = Buffer.from(`${JSON.stringify(profile)}\n`);
  await mkdir(join(out, PROFILES), { recursive: true });
  await writeFileAtomic(join(out, file), bytes);
  return { file, sha256: createHash("sha256").update(bytes).digest("hex") };
}
