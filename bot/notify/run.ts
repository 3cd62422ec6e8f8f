import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent } from "node:https";
import { resolve } from "node:path";
import { checksPicture } from "../card/picture/checks-picture.ts";
import type { CardState } from "../card/state.ts";
import { createTelegram } from "../telegram/client.ts";
import type { InputFile } from "../telegram/payload.ts";
import { pngOf } from "../telegram/png.ts";
import { candidatesOf, withPullRequest } from "./candidates.ts";
import { readOrigin } from "./event.ts";
import { findPicture, readDeployment, readVerdict } from "./files.ts";
import type { NotifyInputs } from "./inputs.ts";
import { findMemory } from "./remember.ts";
import { updateCard, type CardResult } from "./update-card.ts";

/** For everything, including retries and pauses. A deployment waits no longer than this for a message. */
export const timeoutMs = 60_000;
const maxCards = 10;

export type Outcome = {
  status: CardResult["status"] | "dry-run" | "skipped" | "failed";
  results: (CardResult | { model: string; status: "failed"; notes: string[] })[];
  why: string | null;
  cards: CardState[];
};

const worst = ["failed", "skipped", "dry-run", "resent", "sent", "edited", "unchanged"] as const;

type NotifyDeps = {
  env: NodeJS.ProcessEnv;
  /** Hides secrets in any text. */
  hide: (text: string) => string;
  log: (line: string) => void;
  signal: AbortSignal;
};

/**
 * Updates the cards of the candidates that a workflow run, or a person, reports on. Shared by the action and `sluice
 * notify`.
 *
 * @throws ConfigurationError for a file that cannot be read; a card that could not be delivered is part of the outcome
 */
export async function notify(inputs: NotifyInputs, { env, hide, log, signal }: NotifyDeps): Promise<Outcome> {
  const workspace = resolve(env["GITHUB_WORKSPACE"] || ".");
  const path = (file: string | null) => (file === null ? null : resolve(workspace, file));
  const [verdictPath, deploymentPath] = [path(inputs.verdict), path(inputs.deployment)];
  const origin = readOrigin(await eventOf(env), env);
  // A deploy step that was skipped or refused to start leaves no receipt. The card shows everything else.
  const deployment =
    deploymentPath === null || !existsSync(deploymentPath) ? null : await readDeployment(deploymentPath);
  const verdict = verdictPath === null ? null : await readVerdict(verdictPath);
  const cards = candidatesOf({ verdict, deployment, models: inputs.models, phase: inputs.phase, origin });
  const none = (status: Outcome["status"], why: string): Outcome => ({ status, results: [], why, cards });
  if (cards.length === 0) return none("skipped", "there is no model to tell about: give verdict, deployment or models");
  if (inputs["dry-run"]) return none("dry-run", "dry-run: nothing was sent");
  const token = inputs.token ?? (env["TELEGRAM_BOT_TOKEN"] || null);
  const chat = inputs.chat ?? (env["TELEGRAM_CHAT_ID"] || null);
  if (token === null)
    return none(
      "skipped",
      "there is no token: set TELEGRAM_BOT_TOKEN or the input token (a pull request from a fork has no secrets)",
    );
  if (chat === null) return none("skipped", "there is no chat: set the input chat or TELEGRAM_CHAT_ID");

  const explain = (error: unknown) =>
    hide(error instanceof Error ? error.message : String(error)).split("\n")[0] as string;
  const client = createTelegram({
    token,
    apiRoot: inputs["api-root"] ?? (env["TELEGRAM_API_ROOT"] || "https://api.telegram.org"),
    timeoutMs: 10_000,
    maxPauseSeconds: 20,
    log,
    // Without `proxyEnv`, Node's agents ignore proxies.
    agent: new Agent({ keepAlive: true, proxyEnv: env } as object),
  });
  const { memory, pullRequest, note } = await findMemory({
    token: inputs["github-token"],
    origin,
    commit: cards[0]?.commit ?? null,
    deploymentId: deployment?.githubDeployment ?? null,
    chat,
    topic: inputs.topic,
    env,
    log: (text) => {
      log(hide(text));
    },
    explain,
  });
  const address = { chat: /^-?\d+$/.test(chat) ? Number(chat) : chat, topic: inputs.topic };
  const results: Outcome["results"] = [];
  for (const card of cards.slice(0, maxCards)) {
    const model = card.model.id;
    const picture = async () =>
      (verdictPath === null ? null : await findPicture(verdictPath, model)) ?? (await drawnPicture(card));
    try {
      results.push(
        await updateCard(withPullRequest(card, pullRequest, origin), address, inputs.when, {
          client,
          memory,
          signal,
          explain,
          picture,
          now: Date.now,
        }),
      );
    } catch (error) {
      results.push({ model, status: "failed", notes: [explain(error)] });
    }
  }
  const unwritten =
    memory === null
      ? null
      : await memory.write().then(
          () => null,
          (error: unknown) =>
            `what was delivered could not be remembered, so the next run sends it anew: ${explain(error)}`,
        );
  results[0]?.notes.push(...[note, unwritten].filter((one) => one !== null));
  const withoutCard = cards.length - maxCards;
  return {
    status: worst.find((word) => results.some((one) => one.status === word)) ?? "skipped",
    results,
    why: withoutCard > 0 ? `${withoutCard} more models have no card: one run posts at most ${maxCards}` : null,
    cards,
  };
}

/** The checks that decided, drawn; null where nothing is compared or nothing can be drawn here. */
async function drawnPicture({ verdict }: CardState): Promise<InputFile | null> {
  const svg = verdict === null ? null : checksPicture(verdict);
  const source = svg === null ? null : await pngOf(svg);
  return source === null ? null : { source, filename: "checks.png" };
}

async function eventOf(env: NodeJS.ProcessEnv): Promise<unknown> {
  const path = env["GITHUB_EVENT_PATH"];
  if (!path) return null;
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown;
  } catch {
    return null;
  }
}
