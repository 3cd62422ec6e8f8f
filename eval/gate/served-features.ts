import { openStore } from "../../models/core/feature-store/open.ts";
import { featureReader } from "../../models/core/lookup/features.ts";
import type { LookupStep } from "../../models/core/lookup/schema.ts";
import type { FeatureStore, KeyEvents } from "../../models/core/lookup/store.ts";
import { placeIn, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { compileLookup } from "../../models/core/preprocess/lookup.ts";
import { RowError } from "../../models/core/row.ts";
import type { EvaluationDataset, History } from "../dataset/read.ts";
import { counted } from "../report/text/format.ts";
import type { EvaluationContext } from "./context.ts";

/** Keys whose served features are compared, evenly over those of the rows. */
const MAX_KEYS = 2000;

/** What the lookups of a model found, and whether what it serves is what it was judged with. */
export type ServedFeatures = {
  notes: string[];
  /** Why the figures do not hold for what is served; null when nothing speaks against it. */
  skew: string | null;
};

/**
 * Compares, for every lookup step, the store that the model is served from with the history that it is judged on: at one
 * time that both know, for the keys of the rows, feature by feature, as float32, to the bit.
 *
 * A key whose newest event in the store is later than that time cannot be asked about it in a store that keeps only the
 * newest; those are counted, not compared.
 */
export async function servedFeatures(
  loaded: LoadedManifest,
  dataset: EvaluationDataset,
  { deps, cacheDir }: Pick<EvaluationContext, "deps" | "cacheDir">,
): Promise<ServedFeatures> {
  const notes: string[] = [];
  const problems: string[] = [];
  for (const [name, step] of Object.entries(loaded.manifest.preprocess)) {
    const history = dataset.histories[name];
    // What the models of a composition are served from is compared in their own gates.
    if (step.kind !== "lookup" || history === undefined || loaded.composition !== undefined) continue;
    const lookup = compileLookup(name, step, history.store, (path) => placeIn(loaded, ["preprocess", name, ...path]));
    const found = await lookup.find(
      dataset.rows.map(({ row }) => row),
      deps.now().getTime(),
    );
    notes.push(ratesNote(name, step, found, dataset.rows.length));
    const keys = [...new Set(found.asked.keys.filter((key) => key !== undefined))];
    if ("path" in step.store && step.store.sha256 === history.file.sha256) {
      notes.push(`${name} is served from the very table that it was judged with.`);
      continue;
    }
    if (!("path" in step.store) && !deps.env[step.store.redis.env]) {
      notes.push(
        `${name} is served from Redis, and ${step.store.redis.env} is not set here: whether it holds what the history says was not compared.`,
      );
      continue;
    }
    const store = await openStore(step, loaded.dir, cacheDir, deps.env);
    try {
      const compared = await compare(step, store, history, spread(keys));
      notes.push(compared.note(name));
      if (compared.problem !== null) problems.push(`${name}: ${compared.problem}`);
    } finally {
      await store.close();
    }
  }
  return {
    notes,
    skew:
      problems.length === 0
        ? null
        : `The features that are served are not those that the model was judged with, so its figures do not hold for what it answers. ${problems.join(" ")}`,
  };
}

function ratesNote(
  name: string,
  { ttl }: LookupStep,
  { asked, errors }: Awaited<ReturnType<ReturnType<typeof compileLookup>["find"]>>,
  rows: number,
): string {
  const count = { unknown: 0, stale: 0, null: 0 };
  for (const missing of asked.missing) if (missing !== null) count[missing]++;
  const share = (n: number) => `${n} (${((100 * n) / Math.max(1, rows)).toFixed(1)} %)`;
  const refused = errors.filter((error) => error instanceof RowError).length;
  return `Lookups of ${name} for ${counted(rows, "row")}: ${share(count.unknown)} without features at their time, ${share(count.stale)} with features older than ${ttl ?? "any limit"}, ${share(count.null)} with a value missing${refused === 0 ? "" : `; ${refused} refused`}.`;
}

async function compare(
  step: LookupStep,
  store: FeatureStore,
  { store: history }: History,
  keys: readonly string[],
): Promise<{ note: (name: string) => string; problem: string | null }> {
  const names = Object.keys(step.features);
  const [served, offline] = [featureReader(step, store.columns), featureReader(step, history.columns)];
  if ("lacks" in served || "lacks" in offline) {
    const lacks = "lacks" in served ? served.lacks : [];
    return {
      note: (name) => `${name} was not compared with what is served.`,
      problem: `${store.name} has no column ${lacks.map(({ column }) => column).join(", ")}.`,
    };
  }
  const timed = history.timed && store.timed;
  const timeMs = !timed ? Infinity : Math.min(history.newestMs, store.kind === "memory" ? store.newestMs : Infinity);
  const found: (KeyEvents | null)[] =
    store.kind === "memory" ? keys.map((key) => store.find(key)) : await store.findMany(keys);
  const [one, other] = [new Float64Array(names.length), new Float64Array(names.length)];
  let newer = 0;
  let differing = 0;
  let example = "";
  keys.forEach((key, i) => {
    const events = found[i]!;
    served.read(events, timeMs, one, 0);
    offline.read(history.find(key), timeMs, other, 0);
    const k = names.findIndex((_, at) => !Object.is(one[at], other[at]));
    if (k === -1) return;
    const plain = step.features[names[k]!]!.aggregate === undefined;
    if (plain && events !== null && events.from < events.to && events.times[events.to - 1]! > timeMs) newer++;
    else {
      differing++;
      example ||= `${names[k]} is ${one[k]} where the history gives ${other[k]}`;
    }
  });
  const at = timed ? ` as of ${new Date(timeMs).toISOString()}` : "";
  return {
    note: (name) =>
      `What ${name} is served from was compared with the history for ${counted(keys.length, "key")}${at}: ${differing === 0 ? "every feature is the same float32" : `${differing} differ`}${newer === 0 ? "" : `; ${newer} have a newer event in the store and were not compared`}.`,
    problem: differing === 0 ? null : `${differing} of ${counted(keys.length, "key")} differ${at}, e.g. ${example}.`,
  };
}

function spread(keys: readonly string[]): string[] {
  if (keys.length <= MAX_KEYS) return [...keys];
  return Array.from({ length: MAX_KEYS }, (_, i) => keys[Math.floor((i * keys.length) / MAX_KEYS)]!);
}
