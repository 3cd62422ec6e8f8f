import { shortDigest } from "./text/format.ts";
import type { ModelVerdict, VerdictFile } from "../schema/verdict.ts";
import { sluiceCommand } from "../../models/core/invocation.ts";

const plainWord = /^[\w][\w./@~^-]{0,199}$/;

/**
 * The shell commands that repeat this judgement on a laptop, with a comment where a fresh clone would not. Flags and
 * files are quoted for a POSIX shell. A model's id comes from a pull request: one that is not a plain word is left out,
 * because readers paste these lines into a shell.
 */
export function reproduceCommands(verdict: VerdictFile): string[] {
  const { reproduce } = verdict;
  const flags = (reproduce?.flags ?? []).map(shellWord);
  if (flags.includes(null)) return [];
  if (reproduce?.command === "compare") return [`${sluiceCommand()} compare ${flags.join(" ")}`];
  const gates = verdict.models
    .filter(({ model }) => plainWord.test(model.id))
    .map((one) => [`${sluiceCommand()} gate`, one.model.id, ...baselineFlag(one), ...flags].join(" "));
  if (gates.length === 0) return [];
  const commit = verdict.commit !== null && plainWord.test(verdict.commit) ? verdict.commit : null;
  if (verdict.commitState?.dirty === true) return [...dirtyTree(commit, verdict.commitState.digest), ...gates];
  return [...(commit === null ? [] : [`git checkout ${commit}`]), ...gates];
}

function dirtyTree(commit: string | null, digest: string | null): string[] {
  const named = digest !== null && /^[\w:-]{1,100}$/.test(digest) ? ` (digest ${shortDigest(digest)})` : "";
  return [
    `# The working tree had uncommitted changes${named}${commit === null ? "" : ` on top of ${commit.slice(0, 12)}`}, and they were judged.`,
    "# Run this in that tree: a fresh clone does not have them.",
  ];
}

function baselineFlag({ baseline, baselineSource }: ModelVerdict): string[] {
  if (baseline === null) return baselineSource.startsWith("none") ? ["--baseline none"] : [];
  const folder = /^(\/|[A-Za-z]:\\)/.test(baselineSource) ? shellWord(baselineSource) : null;
  if (folder !== null) return [`--baseline ${folder}`];
  // "PATH at COMMIT": a model's id, or a tag's, may look like a commit itself.
  const commit = /\bat .*?\b([0-9a-f]{7,40})\b/.exec(baselineSource)?.[1];
  return commit === undefined ? [] : [`--baseline ${commit}`];
}

/** A word as a POSIX shell reads it back; null for one with characters that no shell should be given. */
function shellWord(word: string): string | null {
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(word) || word.length > 400) return null;
  return /^[\w./@~^=:,%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
