import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { EvaluationError } from "../../models/core/errors.ts";
import { featureReader } from "../../models/core/lookup/features.ts";
import type { MemoryStore } from "../../models/core/lookup/read-table.ts";
import { keyDigest, servedRecord, type ServedRecord } from "../../models/core/lookup/served-record.ts";
import { vectorHash } from "../../models/core/lookup/vector-hash.ts";
import { applyPolicies, policiesOf } from "../../models/core/preprocess/lookup.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import type { VerdictWord } from "../schema/verdict.ts";

/** What the record of one lookup step shows. */
type StepCheck = {
  step: string;
  records: number;
  same: number;
  differing: number;
  /** Served from another event than the history has for that time. */
  otherEvent: number;
  /** Keys that the history does not have. */
  unknownKeys: number;
  missing: { unknown: number; stale: number; null: number };
  /** Median age of the served events, seconds; null without any. */
  medianAgeSeconds: number | null;
  /** The digests of the tables that were served from. */
  stores: string[];
};

export type ServedCheck = { schemaVersion: 1; verdict: VerdictWord; reason: string; steps: StepCheck[] };

/**
 * Computes again what a server's look-ups served, as of the times that they asked about, and compares the features bit by
 * bit.
 *
 * @param log the record that the server kept
 * @param histories lookup step → its history up to now
 * @throws EvaluationError `served-record` for a line that is no record
 */
export async function checkServed(
  { manifest }: LoadedManifest,
  log: string,
  histories: Readonly<Record<string, MemoryStore>>,
  secret: string,
): Promise<ServedCheck> {
  const records = new Map<string, ServedRecord[]>();
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(log), crlfDelay: Infinity })) {
    line++;
    if (text.trim() === "") continue;
    const record = parse(text, `${log}:${line}`);
    // A record of another version has been served by other rules.
    if (record.model !== manifest.id || record.version !== manifest.version) continue;
    const ofStep = records.get(record.step);
    if (ofStep === undefined) records.set(record.step, [record]);
    else ofStep.push(record);
  }
  const steps = Object.entries(manifest.preprocess).flatMap(([name, step]): StepCheck[] => {
    const served = records.get(name);
    const history = histories[name];
    if (step.kind !== "lookup" || served === undefined || history === undefined) return [];
    const reader = featureReader(step, history.columns);
    if ("lacks" in reader)
      throw new EvaluationError({
        code: "lookup-column",
        place: history.name,
        problem: `the history has no column ${reader.lacks.map(({ column }) => column).join(", ")}`,
        expected: `the columns that ${name} reads`,
        received: history.columns.join(", "),
      });
    const wanted = new Set(served.map(({ key }) => key));
    const keyOf = new Map<string, string>();
    for (const key of history.keys()) {
      const digest = keyDigest(key, secret);
      if (wanted.has(digest)) keyOf.set(digest, key);
    }
    const values = new Float64Array(reader.width);
    const policies = policiesOf(step);
    const check: StepCheck = {
      step: name,
      records: served.length,
      same: 0,
      differing: 0,
      otherEvent: 0,
      unknownKeys: 0,
      missing: { unknown: 0, stale: 0, null: 0 },
      medianAgeSeconds: null,
      stores: [...new Set(served.flatMap(({ store }) => (store === null ? [] : [store])))].toSorted(),
    };
    const ages: number[] = [];
    for (const record of served) {
      const key = keyOf.get(record.key);
      if (key === undefined) check.unknownKeys++;
      const { eventMs } = reader.read(key === undefined ? null : history.find(key), record.timeMs, values, 0);
      applyPolicies(policies, values, 0);
      if (vectorHash(values) === record.vector) check.same++;
      else check.differing++;
      if ((Number.isFinite(eventMs) ? eventMs : null) !== record.eventMs) check.otherEvent++;
      if (record.missing !== null) check.missing[record.missing]++;
      if (record.eventMs !== null) ages.push((record.timeMs - record.eventMs) / 1000);
    }
    ages.sort((a, b) => a - b);
    check.medianAgeSeconds = ages[Math.floor((ages.length - 1) / 2)] ?? null;
    return [check];
  });
  const compared = steps.reduce((sum, one) => sum + one.records, 0);
  const differing = steps.reduce((sum, one) => sum + one.differing, 0);
  if (compared === 0)
    return {
      schemaVersion: 1,
      verdict: "INCONCLUSIVE",
      reason: `no record of ${manifest.id} ${manifest.version} could be compared`,
      steps,
    };
  return {
    schemaVersion: 1,
    verdict: differing === 0 ? "PASS" : "FAIL",
    reason:
      differing === 0
        ? `all ${compared} records are what the history gives, bit for bit`
        : `${differing} of ${compared} records are not what the history gives`,
    steps,
  };
}

function parse(text: string, place: string): ServedRecord {
  try {
    return servedRecord.parse(JSON.parse(text));
  } catch (error) {
    throw new EvaluationError(
      {
        code: "served-record",
        place,
        problem: "not a record of a look-up",
        expected: "a line as SLUICE_LOOKUP_LOG makes it",
        received: text.slice(0, 80),
      },
      { cause: error },
    );
  }
}
