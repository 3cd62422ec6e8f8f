import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parseYaml } from "../../models/core/manifest/config-file.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { nameOf } from "../judge/apply-waivers.ts";
import { waiversFile, type Waiver } from "../schema/waivers.ts";
import { readAtReference, type Reference } from "./baseline.ts";
import type { Git } from "./git.ts";

const WAIVERS_FILE = "waivers.yaml";

/**
 * `counting`: the waivers that count, read from `source`. `pending`: those that the working tree adds, which do not
 * count yet.
 */
export type Waivers = { counting: Waiver[]; source: string; pending: Waiver[] };

/**
 * Reads waivers.yaml beside the configuration. As with thresholds, the base branch's file counts, so that no pull
 * request can excuse itself: what its own file adds is shown, and counts once merged. Without a base commit to read
 * from (no git, or a baseline folder), the working tree's file counts.
 *
 * @throws ConfigurationError when either file does not fit its schema, or when the working tree's names a model that
 *   sluice.yaml does not have
 */
export async function readWaivers(
  configFile: string,
  reference: Reference,
  root: string,
  models: readonly string[],
  git: Git,
): Promise<Waivers> {
  const file = join(dirname(configFile), WAIVERS_FILE);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  const own = text === null ? [] : parse(text, file);
  const unknown = own.find((one) => !models.includes(one.model));
  if (unknown !== undefined)
    throw new ConfigurationError({
      code: "waiver-model",
      problem: "a waiver names a model that sluice.yaml does not have",
      place: file,
      expected: `model: one of ${models.join(", ")}`,
      received: `model: ${unknown.model}`,
    });
  if (reference.kind !== "commit") return { counting: own, source: WAIVERS_FILE, pending: [] };
  const base = await readAtReference(reference, file, root, git);
  const counting = base === null ? [] : parse(base, `${file} at ${reference.label}`);
  return {
    counting,
    source: `${WAIVERS_FILE} at ${reference.label}`,
    pending: own.filter((one) => !counting.some((other) => isDeepStrictEqual(one, other))),
  };
}

function parse(text: string, file: string): Waiver[] {
  return parseYaml(text, file, waiversFile, {
    schemaVersion: "schemaVersion: 1",
    waivers:
      "waivers:\n  - {model: mood, metric: auroc, slice: source=yelp, reason: relabelling under way, expires: 2026-12-31}",
    expires: "expires: 2026-12-31",
  }).waivers;
}

/** One note for each waiver that this change adds for a model. */
export function pendingNotes({ pending }: Waivers, model: string): string[] {
  return pending
    .filter((one) => one.model === model)
    .map(
      (one) =>
        `This change adds a waiver for ${nameOf(one)} until ${one.expires} (${one.reason}); it does not count before it is merged.`,
    );
}
