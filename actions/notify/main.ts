import { error as annotateError, setSecret, warning } from "@actions/core";
import { renderCard } from "../../bot/card/render.ts";
import { redactor } from "../../bot/telegram/redact.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { readInputs } from "../runner/inputs.ts";
import { escapeWorkflowCommands, logLine } from "../runner/log.ts";
import { addSummary, output } from "../runner/results.ts";
import { notifyInputs } from "../../bot/notify/inputs.ts";
import { notify, timeoutMs, type Outcome } from "../../bot/notify/run.ts";
import { summaryOf } from "../../bot/notify/summary.ts";

// The HTTP client under Telegraf uses deprecated Node APIs. Readers of the log can do nothing about that warning.
process.noDeprecation = true;

/** Reports what happened. Never throws, because a failed announcement must not fail a deployment. */
async function report({ status, results, why, cards }: Outcome, env: NodeJS.ProcessEnv): Promise<void> {
  for (const one of results) {
    logLine(`${one.model}: ${one.status}${"form" in one && one.form !== null ? ` (${one.form})` : ""}`);
    for (const note of one.notes)
      warning(escapeWorkflowCommands(`${one.model}: ${note}`), {
        title: one.status === "failed" ? "Telegram card not delivered" : "Telegram card",
      });
  }
  if (why !== null && status === "skipped") warning(escapeWorkflowCommands(why));
  else if (why !== null) logLine(why);
  if (status === "dry-run") for (const card of cards) logLine(renderCard(card).plain);
  const undelivered = cards.filter(
    (card) =>
      status === "dry-run" ||
      status === "skipped" ||
      results.some((one) => one.model === card.model.id && one.status === "failed"),
  );
  await addSummary(summaryOf(undelivered, results, why), env);
  output("status", status, env);
  output(
    "message",
    String(results.flatMap((one) => ("message" in one && one.message !== null ? [one.message] : []))[0] ?? ""),
    env,
  );
  output("result", JSON.stringify({ schemaVersion: 1, status, why, cards: results }), env);
}

/** @returns 0; with fail-on-error 2 for wrong usage and 5 for a card that could not be delivered */
async function main(): Promise<number> {
  // Tell the runner the secret before anything can print it. Nothing that runs here needs it in the environment.
  const env = { ...process.env };
  const secrets = ["INPUT_TOKEN", "INPUT_GITHUB-TOKEN", "TELEGRAM_BOT_TOKEN"].flatMap((name) =>
    env[name] ? [env[name]] : [],
  );
  for (const secret of secrets) setSecret(secret);
  for (const name of ["INPUT_TOKEN", "INPUT_GITHUB-TOKEN", "TELEGRAM_BOT_TOKEN"]) delete process.env[name];
  const hiders = secrets.map(redactor);
  const hide = (text: string) => hiders.reduce((hidden, one) => one(hidden), text);
  const failOnError = env["INPUT_FAIL-ON-ERROR"]?.trim() === "true";

  const cancelled = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => {
      cancelled.abort(new Error(`cancelled by ${name}`));
    });
  try {
    const outcome = await notify(readInputs(notifyInputs, env), {
      env,
      hide,
      log: logLine,
      signal: AbortSignal.any([cancelled.signal, AbortSignal.timeout(timeoutMs)]),
    });
    await report(outcome, env);
    return failOnError && (outcome.status === "failed" || outcome.status === "skipped") ? 5 : 0;
  } catch (error) {
    const words = hide(error instanceof Error ? error.message : String(error));
    (failOnError ? annotateError : warning)(escapeWorkflowCommands(words), { title: "Telegram card not delivered" });
    await addSummary(summaryOf([], [], words), env);
    output("status", "failed", env);
    return failOnError ? (error instanceof ConfigurationError ? 2 : 5) : 0;
  }
}

void main().then((code) => {
  process.exitCode = code;
  // Leave time for the output to reach the runner, but do not let kept-alive sockets delay the job.
  setTimeout(() => process.exit(code), 500).unref();
  return code;
});
