import { execFileSync } from "node:child_process";
import { matchesGlob } from "node:path";

/**
 * The lines of these sources that differ from a commit, the working tree included, as Stryker names them: FILE:FROM-TO.
 *
 * @param sources globs; one that begins with `!` takes files out
 */
export function changedRanges(since: string, sources: readonly string[]): string[] {
  const diff = execFileSync("git", ["diff", "--unified=0", "--no-color", "--no-ext-diff", since, "--", "*.ts"], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  return rangesOf(diff).filter((range) => {
    const file = range.replace(/:\d+-\d+$/, "");
    return sources.reduce(
      (taken, glob) =>
        glob.startsWith("!") ? taken && !matchesGlob(file, glob.slice(1)) : taken || matchesGlob(file, glob),
      false,
    );
  });
}

/** The added and changed lines of a unified diff without context. */
export function rangesOf(diff: string): string[] {
  let file = "";
  const ranges: string[] = [];
  for (const line of diff.split("\n")) {
    file = /^\+\+\+ b\/(.*)$/.exec(line)?.[1] ?? file;
    const [, from, count = "1"] = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line) ?? [];
    if (from !== undefined && Number(count) > 0) ranges.push(`${file}:${from}-${Number(from) + Number(count) - 1}`);
  }
  return ranges;
}
