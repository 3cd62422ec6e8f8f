import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent } from "node:https";
import { resolve } from "node:path";
import { error as annotateError, info, setOutput, setSecret, warning } from "@actions/core";
import { renderCard } from "../../bot/card/render.ts";
import type { CardState } from "../../bot/card/state.ts";
import { createTelegram } from "../../bot/telegram/client.ts";
import { redactor } from "../../bot/telegram/redact.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { readInputs } from "../gate/inputs.ts";
import { harmless } from "../gate/log.ts";
import { candidatesOf, withPullRequest } from "./candidates.ts";
import { readOrigin } from "./event.ts";
import { findPicture, readDeployment, readVerdict } from "./files.ts";
import { notifyInputs, type NotifyInputs } from "./inputs.ts";
import { findMemory } from "./remember.ts";
import { addSummary, summaryOf } from "./summary.ts";
import { tell, type Told } from "./tell.ts";

/** All of it, retries and pauses included; a deployment waits no longer than this for a message. */
const patienceMs = 60_000;
const mostCards = 10;

type Outcome = { status: Told["status"] | "dry-run" | "skipped" | "failed"; told: (Told | { model: string; status: "failed"; notes: string[] })[]; why: string | null; cards: CardState[] };

const worst = ["failed", "skipped", "dry-run", "resent", "sent", "edited", "unchanged"] as const;

async function run(env: NodeJS.ProcessEnv, inputs: NotifyInputs, hide: (text: string) => string, signal: AbortSignal): Promise<Outcome> {
  const workspace = resolve(env["GITHUB_WORKSPACE"] || ".");
  const path = (file: string | null) => (file === null ? null : resolve(workspace, file));
  const [verdictPath, deploymentPath] = [path(inputs.verdict), path(inputs.deployment)];
  const origin = readOrigin(await eventOf(env), env);
  // A deploy step that was skipped, or that refused to start, leaves no receipt: the card tells the rest.
  const deployment = deploymentPath === null || !existsSync(deploymentPath) ? null : await readDeployment(deploymentPath);
  const verdict = verdictPath === null ? null : await readVerdict(verdictPath);
  const cards = candidatesOf({ verdict, deployment, models: inputs.models, phase: inputs.phase, origin });
  const none = (status: Outcome["status"], why: string): Outcome => ({ status, told: [], why, cards });
  if (cards.length === 0) return none("skipped", "there is no model to tell about: give verdict, deployment or models");
  if (inputs["dry-run"]) return none("dry-run", "dry-run: nothing was sent");
  const token = inputs.token ?? (env["TELEGRAM_BOT_TOKEN"] || null);
  const chat = inputs.chat ?? (env["TELEGRAM_CHAT_ID"] || null);
  if (token === null) return none("skipped", "there is no token (a fork's pull request has no secrets)");
  if (chat === null) return none("skipped", "there is no chat: set the input chat or TELEGRAM_CHAT_ID");

  const explain = (error: unknown) => hide(error instanceof Error ? error.message : String(error)).split("\n")[0] as string;
  const client = createTelegram({
    token, apiRoot: inputs["api-root"] ?? (env["TELEGRAM_API_ROOT"] || "https://api.telegram.org"), timeoutMs: 10_000, longestPauseSeconds: 20, log: (line) => { info(harmless(line)); },
    // Node's agents pass a proxy by unless they are told.
    agent: new Agent({ keepAlive: true, proxyEnv: env } as object),
  });
  const log = (text: string) => { info(harmless(hide(text))); };
  const { memory, pullRequest, note } = await findMemory({ token: inputs["github-token"], origin, deploymentId: deployment?.githubDeployment ?? null, chat, topic: inputs.topic, env, log, explain });
  const address = { chat: /^-?\d+$/.test(chat) ? Number(chat) : chat, topic: inputs.topic };
  const told: Outcome["told"] = [];
  for (const card of cards.slice(0, mostCards)) {
    const model = card.model.id;
    const picture = async () => (verdictPath === null ? null : findPicture(verdictPath, model));
    try {
      told.push(await tell(withPullRequest(card, pullRequest, origin), address, inputs.when, { client, memory, signal, explain, picture, now: Date.now }));
    } catch (error) {
      told.push({ model, status: "failed", notes: [explain(error)] });
    }
  }
  const unwritten = memory === null ? null : await memory.write().then(() => null, (error: unknown) => `what was delivered could not be remembered, so the next run sends it anew: ${explain(error)}`);
  told[0]?.notes.push(...[note, unwritten].filter((one) => one !== null));
  const left = cards.length - mostCards;
  return { status: worst.find((word) => told.some((one) => one.status === word)) ?? "skipped", told, why: left > 0 ? `${left} more models have no card: one run posts at most ${mostCards}` : null, cards };
}

async function eventOf(env: NodeJS.ProcessEnv): Promise<unknown> {
  const path = env["GITHUB_EVENT_PATH"];
  if (!path) return null;
  try { return JSON.parse(await readFile(path, "utf8")) as unknown; } catch { return null; }
}

/** Without GITHUB_OUTPUT (a run by hand) core would print a retired workflow command instead. */
function output(name: string, value: string, env: NodeJS.ProcessEnv): void {
  if (env["GITHUB_OUTPUT"]) setOutput(name, value);
}

/** Reports what happened. Never throws: the last thing that could break a deployment is its announcement. */
async function report({ status, told, why, cards }: Outcome, env: NodeJS.ProcessEnv): Promise<void> {
  for (const one of told) {
    info(harmless(`${one.model}: ${one.status}${"form" in one && one.form !== null ? ` (${one.form})` : ""}`));
    for (const note of one.notes) warning(harmless(`${one.model}: ${note}`), { title: one.status === "failed" ? "Telegram card not delivered" : "Telegram card" });
  }
  if (why !== null) (status === "skipped" ? warning : info)(harmless(why));
  if (status === "dry-run") for (const card of cards) info(harmless(renderCard(card).plain));
  const undelivered = cards.filter((card) => status === "dry-run" || status === "skipped" || told.some((one) => one.model === card.model.id && one.status === "failed"));
  await addSummary(summaryOf(undelivered, told, why), env).catch((error: unknown) => { warning(`The step summary could not be written: ${String(error)}`); });
  output("status", status, env);
  output("message", String(told.flatMap((one) => ("message" in one && one.message !== null ? [one.message] : []))[0] ?? ""), env);
  output("result", JSON.stringify({ schemaVersion: 1, status, why, cards: told }), env);
}

/** @returns 0; with fail-on-error 2 for wrong usage and 5 for a card that could not be delivered */
async function main(): Promise<number> {
  // A secret must be known to the runner before anything could print it; nothing that runs here needs it in the environment.
  const env = { ...process.env };
  const secrets = ["INPUT_TOKEN", "INPUT_GITHUB-TOKEN", "TELEGRAM_BOT_TOKEN"].flatMap((name) => (env[name] ? [env[name]] : []));
  for (const secret of secrets) setSecret(secret);
  for (const name of ["INPUT_TOKEN", "INPUT_GITHUB-TOKEN", "TELEGRAM_BOT_TOKEN"]) delete process.env[name];
  const hiders = secrets.map(redactor);
  const hide = (text: string) => hiders.reduce((hidden, one) => one(hidden), text);
  const failOnError = env["INPUT_FAIL-ON-ERROR"]?.trim() === "true";

  const cancelled = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => { cancelled.abort(new Error(`cancelled by ${name}`)); });
  try {
    const outcome = await run(env, readInputs(notifyInputs, env), hide, AbortSignal.any([cancelled.signal, AbortSignal.timeout(patienceMs)]));
    await report(outcome, env);
    return failOnError && (outcome.status === "failed" || outcome.status === "skipped") ? 5 : 0;
  } catch (error) {
    const words = hide(error instanceof Error ? error.message : String(error));
    (failOnError ? annotateError : warning)(harmless(words), { title: "Telegram card not delivered" });
    await addSummary(summaryOf([], [], words), env).catch(() => undefined);
    output("status", "failed", env);
    return failOnError ? (error instanceof ConfigurationError ? 2 : 5) : 0;
  }
}

void main().then((code) => {
  process.exitCode = code;
  // What was printed must reach the runner; sockets that are kept alive must not hold the job up.
  setTimeout(() => process.exit(code), 500).unref();
  return code;
});
