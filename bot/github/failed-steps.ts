import { stripVTControlCharacters } from "node:util";

/** A job of a run, with its steps in their order. Times in Unix milliseconds; 0 where GitHub gives none. */
export type Job = {
  id: number;
  name: string;
  status: string;
  conclusion: string | null;
  steps: { name: string; conclusion: string | null; startedAt: number; completedAt: number }[];
};

export type FailedStep = { name: string; lines: string[] };

const lastLines = 15;
const errorsAtMost = 8;

/**
 * The failed steps of a job and what they printed: their `::error` lines, else their last lines. A log has no marks
 * between steps; its lines carry the time, as the steps do, to the second.
 *
 * @param log the job's log as GitHub gives it; null if GitHub has it no more
 */
export function failedSteps(job: Job, log: string | null): FailedStep[] {
  const failed = job.steps.filter(({ conclusion }) => conclusion === "failure");
  if (log === null) return failed.map(({ name }) => ({ name, lines: ["(GitHub has no log of it any more)"] }));
  const printed = log.split("\n").map(readLine);
  // A job can fail without a step that did, e.g. when its runner is lost.
  if (failed.length === 0) return [{ name: job.name, lines: shown(printed) }];
  return failed.map(({ name, startedAt, completedAt }) => ({
    name,
    lines: shown(
      // Steps begin and end on whole seconds.
      printed.filter(({ at }) => at >= startedAt && (completedAt === 0 || at < completedAt + 1000)),
    ),
  }));
}

type Line = { at: number; text: string };

/** "2026-11-21T08:00:00.1234567Z text", without colours. A line without a time belongs to the one before it: NaN. */
function readLine(line: string): Line {
  const text = stripVTControlCharacters(line).trimEnd();
  const stamp = /^\uFEFF?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ?/.exec(text);
  return stamp === null
    ? { at: Number.NaN, text }
    : { at: Date.parse(`${stamp[1] as string}Z`), text: text.slice(stamp[0].length) };
}

function shown(lines: readonly Line[]): string[] {
  const errors = lines.filter(({ text }) => text.startsWith("##[error]"));
  const kept = errors.length > 0 ? errors.slice(0, errorsAtMost) : lines.slice(-lastLines);
  return kept.map(({ text }) => text.replace(/^##\[\w+\]/, "")).filter((text) => text !== "");
}
