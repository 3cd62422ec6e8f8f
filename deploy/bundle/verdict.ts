import { createHash } from "node:crypto";
import { lstat, readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { metricsFile, type ModelMetrics } from "../../eval/schema/metrics.ts";
import { verdictFile, type ModelVerdict, type VerdictFile } from "../../eval/schema/verdict.ts";
import type { z } from "zod";
import { ConfigurationError } from "../../models/core/errors.ts";
import { profileFile } from "../../models/profile/schema.ts";
import { parseJsonFile } from "./json-file.ts";
import { sluiceCommand } from "../../models/core/invocation.ts";

/** The gate's verdict on one model, with the digest of the file that holds it. `requirePass` says whether it passed. */
export type ReadVerdict = {
  file: string;
  sha256: string;
  createdAt: string;
  commit: string | null;
  sluiceVersion: string;
  model: ModelVerdict;
  metrics: ModelMetrics | null;
  /** The profile that the gate wrote with the verdict; null where it is not beside it. */
  profile: Uint8Array | null;
};

/** A verdict that lets its model through. Only `requirePass` gives one. */
export type PassedVerdict = ReadVerdict & { model: { verdict: "PASS" } };

const largestBytes = 16_000_000;

/**
 * Finds and reads the verdict on a model.
 *
 * @param place a verdict.json, or a folder to search for one that names the model
 * @throws ConfigurationError if there is none, or if the file is not a valid verdict
 */
export async function readVerdict(place: string, model: string): Promise<ReadVerdict> {
  const candidates = await verdictPaths(place);
  for (const file of candidates) {
    const bytes = await readFile(file);
    if (bytes.length > largestBytes) continue;
    const parsed = parseGateFile(verdictFile, bytes, file);
    const found = parsed.models.find((one) => one.model.id === model);
    if (found === undefined) continue;
    return {
      file,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      createdAt: parsed.createdAt,
      commit: parsed.commit,
      sluiceVersion: parsed.sluiceVersion,
      model: withFileError(parsed, found),
      metrics: await metricsBeside(file, model),
      profile: await profileBeside(file, found),
    };
  }
  throw new ConfigurationError({
    code: "verdict-missing",
    place,
    problem: `no verdict on ${model} is here`,
    expected: "verdict.json of a gate that judged the model",
    received: candidates.length === 0 ? "no verdict.json" : candidates.join(", "),
    hint: `run \`${sluiceCommand()} gate ${model}\` first, or name its verdict.json`,
  });
}

/**
 * A gate can end in ERROR after its only model passed. The file's ERROR then replaces that model's PASS. With several
 * models each keeps its own verdict: the error may be another's.
 */
function withFileError(file: VerdictFile, model: ModelVerdict): ModelVerdict {
  return file.verdict === "ERROR" && model.verdict === "PASS" && file.models.length === 1
    ? { ...model, verdict: "ERROR", reason: file.reason }
    : model;
}

/**
 * The verdict, when it lets these weights through now.
 *
 * @throws ConfigurationError naming what differs
 */
export function requirePass(
  verdict: ReadVerdict,
  wanted: { model: string; version: string; sha256: string; rules: string | null; commit: string | null },
  policy: { now: Date; maxAgeHours: number },
): PassedVerdict {
  const { model } = verdict;
  const refuse = (code: string, problem: string, expected: string, received: string, hint?: string) =>
    new ConfigurationError({
      code,
      place: verdict.file,
      problem,
      expected,
      received,
      ...(hint === undefined ? {} : { hint }),
    });
  if (model.verdict !== "PASS")
    throw refuse(
      "verdict-not-pass",
      `the gate did not let ${wanted.model} through`,
      "PASS",
      `${model.verdict}: ${model.reason}`,
    );
  if (model.model.sha256 !== wanted.sha256)
    throw refuse(
      "verdict-weights",
      "the verdict is on other weights",
      `sha256 ${wanted.sha256}`,
      `sha256 ${model.model.sha256}`,
      "run the gate on what is to be deployed",
    );
  const rules = model.model.rules?.sha256 ?? null;
  if (rules !== wanted.rules)
    throw refuse(
      "verdict-rules",
      "the verdict is on other rules",
      wanted.rules === null ? "no rules" : `rules with sha256 ${wanted.rules}`,
      rules === null ? "no rules" : `rules with sha256 ${rules}`,
      "run the gate on what is to be deployed",
    );
  if (model.model.version !== wanted.version)
    throw refuse("verdict-version", "the verdict is on another version", wanted.version, model.model.version);
  if (verdict.commit !== wanted.commit)
    throw refuse(
      "verdict-commit",
      "the verdict was made for another commit",
      wanted.commit ?? "no commit",
      verdict.commit ?? "no commit",
      "run the gate on this commit",
    );
  const ageHours = (policy.now.getTime() - Date.parse(verdict.createdAt)) / 3_600_000;
  if (ageHours > policy.maxAgeHours)
    throw refuse(
      "verdict-stale",
      "the verdict is too old",
      `at most ${policy.maxAgeHours} hours`,
      `${ageHours.toFixed(1)} hours`,
      "run the gate again",
    );
  if (ageHours < -0.25)
    throw refuse("verdict-stale", "the verdict is from the future", "a clock that agrees", verdict.createdAt);
  return { ...verdict, model: { ...model, verdict: model.verdict } };
}

async function metricsBeside(file: string, model: string): Promise<ModelMetrics | null> {
  const path = join(dirname(file), "metrics.json");
  const bytes = await readFile(path).catch(() => null);
  return bytes === null
    ? null
    : (parseGateFile(metricsFile, bytes, path).models.find((one) => one.model.id === model) ?? null);
}

/** @throws ConfigurationError when the file is not the one that the verdict names */
async function profileBeside(file: string, { profile }: ModelVerdict): Promise<Uint8Array | null> {
  if (profile === undefined) return null;
  const path = resolve(dirname(file), profile.file);
  // The verdict is a file from elsewhere: it must not name another one of this machine.
  const bytes = dirname(dirname(path)) === resolve(dirname(file)) ? await readFile(path).catch(() => null) : null;
  if (bytes === null) return null;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== profile.sha256)
    throw new ConfigurationError({
      code: "profile-digest",
      place: path,
      problem: "the profile is not the one that the verdict names",
      expected: `sha256 ${profile.sha256}`,
      received: `sha256 ${sha256}`,
      hint: "run the gate again, and keep its files together",
    });
  parseGateFile(profileFile, bytes, path);
  return bytes;
}

async function verdictPaths(place: string): Promise<string[]> {
  const facts = await lstat(place).catch(() => null);
  if (facts === null) return [];
  if (facts.isFile()) return [place];
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name === "verdict.json")
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

const parseGateFile = <Schema extends z.ZodType>(schema: Schema, bytes: Uint8Array, place: string) =>
  parseJsonFile(schema, bytes, place, {
    code: "verdict-file",
    origin: "a file that the gate wrote",
    mismatch: "the file does not fit its schema",
    schema: "the published schema",
  });
