import { error as annotateError, info, warning } from "@actions/core";
import type { PullRequest } from "../../eval/gate/event.ts";
import { annotationsOf } from "../../eval/report/annotations.ts";
import { renderMarkdown } from "../../eval/report/markdown.ts";
import { renderTerminal } from "../../eval/report/terminal.ts";
import type { MetricsFile } from "../../eval/schema/metrics.ts";
import type { VerdictFile } from "../../eval/schema/verdict.ts";
import { runUrlOf } from "../../github/runner.ts";
import { keepComment, type CommentResult } from "../../github/sticky-comment.ts";
import { logLine } from "../runner/log.ts";
import { addSummary, output } from "../runner/results.ts";
import type { Connection } from "./connection.ts";
import { exitCode, resultOf, type ExitPolicy } from "./result.ts";

/**
 * GitHub refuses a comment above 65,536 characters, and drops a whole summary above 1 MiB. Both limits leave some room.
 */
const commentCharacters = 65_000;
const summaryBytes = 1_000_000;
const summaryCharacters = 300_000;
const reportingTimeoutMs = 60_000;

export type Delivery = {
  verdict: VerdictFile;
  metrics: MetricsFile;
  /** The content of report.html; "" if there is none. */
  html: string;
  baseline: string | null;
  marker: string;
  /** Path prefix of the annotated files, relative to the repository. */
  prefix: string;
  pullRequest: PullRequest | null;
  silence: string | null;
  policy: ExitPolicy;
  codeOfVerdict: number;
  /** False if this step only forwards results that other jobs have already annotated. */
  annotate: boolean;
};

export type DeliveryDeps = { env: NodeJS.ProcessEnv; github: Connection };

/**
 * Reports the verdict everywhere: job log, annotations, sticky comment, step summary, outputs. A failure here is
 * reported in the log and in the summary; it never changes the verdict.
 *
 * @returns the step's exit code
 */
export async function deliver(delivery: Delivery, deps: DeliveryDeps): Promise<number> {
  const { verdict, metrics, marker } = delivery;
  const runUrl = runUrlOf(deps.env);
  const link = runUrl === null ? {} : { runUrl };
  if (verdict.models.length > 0) logLine(renderTerminal(verdict, metrics, { color: false, width: 120 }));
  if (delivery.annotate) annotate(verdict, delivery.prefix);

  const comment = await commentOn(
    delivery,
    renderMarkdown(verdict, metrics, { maxCharacters: commentCharacters, marker, ...link }),
    deps,
  );
  const code = exitCode(verdict.verdict, delivery.codeOfVerdict, comment, delivery.policy);
  await addReport(
    renderMarkdown(verdict, metrics, { maxCharacters: summaryCharacters, ...link }),
    summaryNotes(verdict, comment, delivery.policy),
    deps.env,
  );

  if (comment.status === "failed")
    warning(`The verdict stands, but the comment could not be posted: ${comment.why}.`, {
      title: "comment not posted",
    });
  else info(comment.status === "skipped" ? `No comment: ${comment.why}.` : `Comment ${comment.status}: ${comment.url}`);
  output("verdict", verdict.verdict, deps.env);
  output(
    "result",
    JSON.stringify(resultOf({ verdict, baseline: delivery.baseline, comment, exitCode: code })),
    deps.env,
  );
  output("report", delivery.html, deps.env);
  return code;
}

async function commentOn(
  { pullRequest, silence, policy, marker }: Delivery,
  body: string,
  { github }: DeliveryDeps,
): Promise<CommentResult> {
  if (policy.comment === "never") return { status: "skipped", why: "comments are switched off" };
  if (pullRequest === null) return { status: "skipped", why: silence ?? "there is no pull request" };
  if (pullRequest.fork)
    return {
      status: "skipped",
      why: "the pull request comes from a fork, whose token may only read; the step summary has the report",
    };
  const deadline = new Promise<CommentResult>((resolve) => {
    setTimeout(
      () => resolve({ status: "failed", why: `no success within ${reportingTimeoutMs / 1000} s` }),
      reportingTimeoutMs,
    ).unref();
  });
  const attempt = async (): Promise<CommentResult> => {
    const api = await github();
    return api === null
      ? { status: "skipped", why: "there is no token" }
      : keepComment(api, pullRequest.number, marker, body);
  };
  return Promise.race([attempt(), deadline]);
}

function annotate(verdict: VerdictFile, prefix: string): void {
  for (const { level, title, message, file, line } of annotationsOf(verdict)) {
    const place = file === null ? {} : { file: prefix + file, ...(line === null ? {} : { startLine: line }) };
    (level === "error" ? annotateError : warning)(message, { title, ...place });
  }
}

function summaryNotes(verdict: VerdictFile, comment: CommentResult, { failOn }: ExitPolicy): string {
  const notes: string[] = [];
  // A diagnostic has several lines, including its example. Indented text is not interpreted by Markdown.
  if (verdict.models.length === 0)
    notes.push(
      verdict.reason
        .split("\n")
        .map((line) => `    ${line}`)
        .join("\n"),
    );
  if (failOn === "nothing")
    notes.push("> [!NOTE]\n> This gate only reports (`fail-on: nothing`): the step is green whatever the verdict.");
  if (comment.status === "failed")
    notes.push(`> [!WARNING]\n> The verdict stands, but the comment could not be posted: ${comment.why}.`);
  if (comment.status === "skipped") notes.push(`> No comment: ${comment.why}.`);
  return notes.length === 0 ? "" : `\n\n${notes.join("\n\n")}\n`;
}

async function addReport(markdown: string, notes: string, env: NodeJS.ProcessEnv): Promise<void> {
  const fits = Buffer.byteLength(markdown + notes) <= summaryBytes;
  const report = fits ? markdown : "The report is too long for a step summary; see the report artifact.";
  await addSummary(report + notes, env);
}
