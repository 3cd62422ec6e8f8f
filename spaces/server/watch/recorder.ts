import { createHash, randomBytes } from "node:crypto";
import type { Diagnostic } from "../../../models/core/errors.ts";
import type { LoadedManifest } from "../../../models/core/predictor/load.ts";
import type { HeadResult } from "../../../models/core/postprocess/result.ts";
import { answerVariables } from "../../../models/profile/answers.ts";
import { cellsOf, labelCellsOf, slicedCellsOf, valueAdder, type AddValue } from "../../../models/profile/cells.ts";
import { featuresOf } from "../../../models/profile/features.ts";
import type { LiveCounts } from "../../../models/profile/live.ts";
import { profileFile, type Profile } from "../../../models/profile/schema.ts";
import { countedHours, hourOf } from "./counted-hours.ts";
import { createFeedback, type Feedback } from "./feedback.ts";
import { rememberPredictions } from "./predictions.ts";
import { refusalKind } from "./refusal-kind.ts";

/** What is read of a row's outcome. */
type Outcome =
  | { ok: true; heads: Record<string, HeadResult>; seen?: Float64Array }
  | { ok: false; refused: boolean; diagnostic: Pick<Diagnostic, "problem"> };

/** Counts what one version of a model sees and answers. Nothing of it identifies a row. */
export type Recorder = {
  /** Whether features are counted, so that it pays to read them. */
  observes: boolean;
  /**
   * Counts the outcomes of one request.
   *
   * @param places of the outcomes among the `rows` of the request, where some rows have none
   * @returns the id of its predictions; null where no feedback can be joined
   */
  record(outcomes: readonly Outcome[], places?: readonly number[], rows?: number): string | null;
  /** A row that the model's schema refused, by the words of its first problem. */
  refused(problem: string): void;
  feedback: Feedback | null;
  snapshot(hours: number): LiveCounts;
};

export type RecorderDeps = { now: () => number; capacity: number };

/** The profile beside a model, if it is of this very model. */
function readProfile(
  text: string | null,
  model: { id: string; version: string; sha256: string },
): { profile: Profile; sha256: string } | { why: string } {
  if (text === null)
    return { why: "the model's folder has no profile.json: it was not deployed with its gate's verdict" };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { why: "profile.json is not JSON" };
  }
  const parsed = profileFile.safeParse(json);
  if (!parsed.success) return { why: `profile.json does not fit its schema: ${parsed.error.issues[0]?.message}` };
  const { id, sha256 } = parsed.data.model;
  return id === model.id && sha256 === model.sha256
    ? { profile: parsed.data, sha256: createHash("sha256").update(text).digest("hex") }
    : { why: "profile.json is of other weights" };
}

/**
 * @param text profile.json; null where the model has none. Then nothing is counted but rows and refusals.
 */
export function createRecorder(
  { manifest }: Pick<LoadedManifest, "manifest">,
  model: { id: string; version: string; sha256: string },
  text: string | null,
  { now, capacity }: RecorderDeps,
): Recorder {
  const read = readProfile(text, model);
  const profile = "profile" in read ? read.profile : null;
  const instance = { id: randomBytes(6).toString("hex"), startedAt: new Date(now()).toISOString() };
  const layout = cellsOf(profile?.variables ?? []);
  const labels = labelCellsOf(profile ?? { labels: [], variables: [] });
  const sliced = slicedCellsOf(profile ?? { labels: [] }, labels.size);
  const hours = countedHours(
    layout,
    { heads: labels.heads, sliced: sliced.byHead, size: labels.size + sliced.size },
    now,
  );
  const adders = featuresOf(manifest.preprocess).features.map((feature): AddValue | null => {
    const cells = layout.byName.get(feature.name);
    return cells === undefined ? null : valueAdder(cells, feature.categories ?? null);
  });
  const answers = answerVariables(manifest.postprocess).flatMap(({ name, head, read: valueOf }) => {
    const cells = layout.byName.get(name);
    return cells === undefined ? [] : [{ head, valueOf, add: valueAdder(cells) }];
  });
  // What was answered is kept only where a label can be compared with it.
  const joined = labels.heads.map((cells) => ({
    cells,
    places: new Map(cells.head.kind === "classes" ? cells.head.classes.map((label, i) => [label, i]) : []),
  }));
  const ring = joined.length === 0 ? null : rememberPredictions(instance.id, capacity, joined.length);

  const remember = (slot: number, heads: Record<string, HeadResult>) => {
    for (let k = 0; k < joined.length; k++) {
      const { cells, places } = joined[k]!;
      const result = heads[cells.head.head];
      const at = slot * joined.length + k;
      if (result?.kind === "classification") {
        ring!.values[at] = places.get(result.label) ?? Number.NaN;
        ring!.scores[at] = result.score;
      } else if (result?.kind === "regression") ring!.values[at] = result.value;
    }
  };

  const count = (outcome: Outcome & { ok: true }) => {
    const { cells } = hours.answered();
    const { heads, seen } = outcome;
    for (let k = 0; k < answers.length; k++) {
      const { head, valueOf, add } = answers[k]!;
      const result = heads[head];
      if (result !== undefined) add(valueOf(result), cells);
    }
    if (seen !== undefined) for (let i = 0; i < seen.length; i++) adders[i]?.(seen[i]!, cells);
  };

  return {
    observes: profile !== null,
    record(outcomes, places, rows = outcomes.length) {
      const slots = ring === null ? null : ring.begin(rows, hourOf(now()));
      for (let i = 0; i < outcomes.length; i++) {
        const outcome = outcomes[i]!;
        if (outcome.ok) {
          count(outcome);
          if (slots !== null) remember(slots.slotOf(places?.[i] ?? i), outcome.heads);
        } else if (outcome.refused) hours.refused(refusalKind(outcome.diagnostic.problem));
      }
      return slots?.id ?? null;
    },
    refused: (problem) => hours.refused(refusalKind(problem)),
    feedback:
      ring === null
        ? null
        : createFeedback(
            joined.map(({ cells }) => cells),
            ring,
            hours,
            { names: new Map((profile?.slices ?? []).map(({ name }, i) => [name, i])), byHead: sliced.byHead },
          ),
    snapshot(most) {
      const shown = hours.shown(most);
      return {
        schemaVersion: 1,
        model,
        instance,
        at: new Date(now()).toISOString(),
        profile,
        profileSha256: "profile" in read ? read.sha256 : null,
        ...("why" in read ? { withoutProfile: read.why } : {}),
        ...shown,
        feedback: this.feedback?.tally() ?? {},
      };
    },
  };
}
