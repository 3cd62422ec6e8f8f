import { appendFile } from "node:fs/promises";
import { ConfigurationError } from "../errors.ts";
import { keyDigest, type ServedRecord } from "../lookup/served-record.ts";
import { vectorHash } from "../lookup/vector-hash.ts";
import type { LookupResult } from "../preprocess/lookup.ts";

export type ServedLog = (found: Readonly<Record<string, LookupResult>>) => void;

/** Lines that wait for the disk; further ones are dropped, because this is a sample. */
const MAX_WAITING = 10_000;

/**
 * Writes a sample of what look-ups served, one JSON object a line, so that `sluice features check` can compute the same
 * again from the history. Several processes may append to one file.
 *
 * SLUICE_LOOKUP_LOG is the file, SLUICE_LOOKUP_SECRET the secret that hides the keys, SLUICE_LOOKUP_SAMPLE the share of
 * rows (default 0.01).
 *
 * @param stores lookup step → SHA-256 of its table, null for a store over a network
 * @param random draws the sample, from [0, 1)
 * @returns null without a file
 * @throws ConfigurationError when the secret is missing, or the share is none
 */
export function servedLog(
  model: { id: string; version: string },
  stores: Readonly<Record<string, string | null>>,
  env: Readonly<Record<string, string | undefined>>,
  random: () => number = Math.random,
): ServedLog | null {
  const file = env["SLUICE_LOOKUP_LOG"];
  if (!file || Object.keys(stores).length === 0) return null;
  const secret = env["SLUICE_LOOKUP_SECRET"] ?? "";
  if (secret.length < 16)
    throw new ConfigurationError({
      code: "lookup-log",
      place: "SLUICE_LOOKUP_SECRET",
      problem: "the record of look-ups needs a secret, or whoever reads it could guess the keys",
      expected: "at least 16 characters",
      received: `${secret.length} characters`,
    });
  const share = Number(env["SLUICE_LOOKUP_SAMPLE"] ?? "0.01");
  if (!(share > 0 && share <= 1))
    throw new ConfigurationError({
      code: "lookup-log",
      place: "SLUICE_LOOKUP_SAMPLE",
      problem: "not a share of the rows",
      expected: "a number above 0, at most 1",
      received: String(env["SLUICE_LOOKUP_SAMPLE"]),
    });
  let waiting: string[] = [];
  let writing = false;
  const flush = async () => {
    if (writing) return;
    writing = true;
    try {
      while (waiting.length > 0) {
        const lines = waiting;
        waiting = [];
        await appendFile(file, lines.join(""));
      }
    } catch (error) {
      waiting = [];
      process.emitWarning(`the record of look-ups cannot be written: ${(error as Error).message}`);
    } finally {
      writing = false;
    }
  };
  return (found) => {
    for (const [step, { asked, values, errors }] of Object.entries(found)) {
      const width = values.length / asked.keys.length;
      for (const [i, key] of asked.keys.entries()) {
        if (key === undefined || errors[i] !== undefined || waiting.length >= MAX_WAITING || random() >= share)
          continue;
        const eventMs = asked.eventsMs[i]!;
        const record: ServedRecord = {
          model: model.id,
          version: model.version,
          step,
          key: keyDigest(key, secret),
          timeMs: asked.timesMs[i]!,
          eventMs: Number.isFinite(eventMs) ? eventMs : null,
          missing: asked.missing[i]!,
          store: stores[step] ?? null,
          vector: vectorHash(values.subarray(i * width, (i + 1) * width)),
        };
        waiting.push(`${JSON.stringify(record)}\n`);
      }
    }
    if (waiting.length > 0) void flush();
  };
}
