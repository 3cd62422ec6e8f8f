import type { RunRecord } from "../executor/platform.ts";
import { type Scene, textOf } from "../scene/scene.ts";

const maxRequests = 25;
const maxLogLines = 60;
const maxMessageCharacters = 2000;

/** The information to debug a failed story: the step, the expectation, the failed job's log, the last requests. */
export function failureLines(
  scene: Scene,
  {
    error,
    step,
    sinceMs,
  }: {
    error: unknown;
    /** The last line that the story logged. */
    step: string;
    /** Unix time at which the story began. */
    sinceMs: number;
  },
): string[] {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const place =
    /\((?:file:\/\/)?[^()]*?(rehearsal\/stories\/[\w.-]+:\d+)/.exec(stack)?.[1] ??
    /(rehearsal\/stories\/[\w.-]+:\d+)/.exec(stack)?.[1];
  const runs = scene.executor.runs.filter(({ createdAt }) => Date.parse(createdAt) >= sinceMs - 1000);
  const failed = runs.findLast(
    ({ conclusion }) => conclusion !== null && conclusion !== "success" && conclusion !== "skipped",
  );
  return [
    `after the step: ${step}`,
    ...(place === undefined ? [] : [`at: ${place}`]),
    ...cut(withoutLogs(message)).split("\n"),
    ...difference(error),
    "",
    "runs of this story:",
    ...runs.map(
      (run) =>
        `  ${run.workflowName} ${run.id} "${run.displayTitle}": ${run.conclusion ?? run.status}${run.startupError === undefined ? "" : `, ${run.startupError}`}`,
    ),
    ...(failed === undefined ? [] : failedJobs(failed)),
    "",
    `requests, the last ${maxRequests}:`,
    ...requests(scene, sinceMs).map((one) => `  ${one}`),
    "",
    "the team's chat:",
    ...scene
      .said()
      .slice(-6)
      .map((one) => `  #${one.message_id} ${cut(textOf(one).replaceAll("\n", " / "), 300)}`),
  ];
}

/** Stories pass the run's logs as the assertion's message. They are printed below anyway, so drop them here. */
const withoutLogs = (message: string) =>
  message.startsWith("===== ") ? "a run ended otherwise than the story says" : message;

const cut = (text: string, maxCharacters = maxMessageCharacters) =>
  text.length > maxCharacters
    ? `${text.slice(0, maxCharacters)} … (${text.length - maxCharacters} characters more)`
    : text;

function difference(error: unknown): string[] {
  const { code, actual, expected } = error as { code?: string; actual?: unknown; expected?: unknown };
  if (code !== "ERR_ASSERTION") return [];
  return [
    `found:    ${cut(JSON.stringify(actual) ?? "undefined", 500)}`,
    `expected: ${cut(expected instanceof RegExp ? String(expected) : (JSON.stringify(expected) ?? "undefined"), 500)}`,
  ];
}

function failedJobs(run: RunRecord): string[] {
  return run.jobs
    .filter(({ conclusion }) => conclusion === "failure" || conclusion === "cancelled")
    .flatMap((job) => [
      "",
      `job ${job.name} of run ${run.id}: ${job.conclusion}, in the step ${job.steps.find(({ conclusion }) => conclusion === "failure")?.name ?? "?"}`,
      ...job.log
        .trimEnd()
        .split("\n")
        .slice(-maxLogLines)
        .map((line) => `  │ ${line}`),
    ]);
}

/** The requests since the story began, without long polls, which tell nothing. */
function requests({ github, telegram, hubs }: Scene, sinceMs: number): string[] {
  const all = [
    ...github.transcript.map((one) => ({
      atMs: Date.parse(one.at),
      words: `GitHub   ${one.status} ${one.method} ${one.path} (${one.owner}${one.runId === null ? "" : `, run ${one.runId}`})`,
    })),
    ...telegram.transcript
      .filter(({ method }) => method !== "getUpdates")
      .map((one) => ({
        atMs: one.atMs,
        words: `Telegram ${one.status} ${one.method} ${cut(JSON.stringify(one.parameters), 120)}`,
      })),
    ...hubs.all
      .flatMap(({ transcript }) => transcript)
      .map((one) => ({ atMs: one.atMs, words: `Hub      ${one.status ?? "—"} ${one.method} ${one.path}${one.query}` })),
  ].filter(({ atMs }) => atMs >= sinceMs);
  return all
    .toSorted((a, b) => a.atMs - b.atMs)
    .slice(-maxRequests)
    .map(({ atMs, words }) => `${new Date(atMs).toISOString().slice(11, 23)} ${words}`);
}
