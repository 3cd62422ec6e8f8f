import { stateCard } from "../approvals/request.ts";
import { waitingRun } from "../approvals/waiting-runs.ts";
import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import { stageOf } from "../github/environments.ts";
import { isRefusal } from "../../github/api.ts";
import { toContent } from "../context/reply.ts";
import { ago, safe, shortSha, withSign } from "../context/text.ts";
import { cardFinder, type Finder } from "../github/cards.ts";
import type { Deployment, DeploymentStatus, Run } from "../github/github.ts";
import { dayMs, hourMs, minuteMs } from "../telegram/clock.ts";
import { escapeHtml, linkHtml } from "../telegram/format.ts";
import { notifySubscribers } from "./notify-subscribers.ts";
import { askForApproval, endQuestion, followCards } from "./approval-buttons.ts";

/** Deployments younger than this are read at each poll; older ones have ended. */
const freshMs = 2 * dayMs;
const maxWaiting = 10;
/** Deployments that are live are looked at in every tenth poll. */
const pollsBetweenSettled = 10;
const maxPauseMs = 10 * minuteMs;

/** Polls until the signal aborts. A failed poll is logged and delays the next one. */
export async function watchGitHub(
  context: BotContext,
  deps: { signal: AbortSignal; kick: () => void; sleep: (ms: number) => Promise<void> },
): Promise<void> {
  for (let failures = 0, poll = 1; !deps.signal.aborted; poll += 1) {
    try {
      await pollGitHub(context, poll);
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!deps.signal.aborted) context.log.warn("watch-failed", { error: errorLine(error) });
    }
    deps.kick();
    await deps.sleep(Math.min(context.bot.github.pollSeconds * 1000 * 2 ** Math.min(failures, 5), maxPauseMs));
  }
}

/**
 * Polls GitHub once and notifies subscribers of what changed since the last poll. The very first poll only records the
 * current state. Each change stores its state and its messages in one transaction, so a kill neither loses nor repeats
 * an alert.
 */
async function pollGitHub(context: BotContext, poll: number): Promise<void> {
  const { store, now, github, bot, log } = context;
  const finder = cardFinder(github, bot, store.subscriptions.places(), (error) => {
    log.warn("cards-not-looked-up", {
      error: errorLine(error),
      hint: "the token needs pull-requests: read and deployments: read",
    });
  });
  const learning = store.seen.state("watch", "began") === null;
  let missed = 0;
  /** What fails for one run or deployment must not keep the others from being told. */
  const apart = async <T>(what: string, id: number, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      log.warn("not-looked-at", { what, id, error: errorLine(error) });
      if (!isRefusal(error)) missed += 1;
      return null;
    }
  };
  const runs = await github.runs({ count: 50 });
  for (const run of runs.toReversed()) await apart("run", run.id, () => runChanged(context, run, learning, finder));
  const waiting = (
    await Promise.all(
      runs
        .filter(({ status }) => status === "waiting")
        .slice(0, maxWaiting)
        .toReversed()
        .map((run) => apart("waiting run", run.id, () => waitingRun(context, run))),
    )
  ).filter((one) => one !== null);
  for (const one of waiting)
    await apart("waiting run", one.run.id, () => askForApproval(context, one, learning, finder));
  await followCards(context, runs, waiting, finder, poll);
  const deployments = (await github.deployments({ count: 30 })).filter(
    ({ payload, createdAt }) => payload !== null && (learning || createdAt > now() - freshMs),
  );
  for (const deployment of deployments.toReversed()) {
    const state = store.seen.state("deployment", deployment.id);
    if (state !== null && /^(error|failure|inactive)/.test(state)) continue;
    // What has been live for a while can only be replaced.
    if (state === "success" && deployment.createdAt < now() - hourMs && poll % pollsBetweenSettled !== 0) continue;
    await apart("deployment", deployment.id, async () => {
      // A status that was added only for its description (who approved, where a card is) repeats the previous state.
      const statuses = await github.statuses(deployment.id);
      if (statuses[0] !== undefined) await deploymentChanged(context, deployment, statuses[0], learning, finder);
    });
  }
  // What could not be looked at yet would be reported later as if it were new.
  if (learning && missed === 0) store.seen.set("watch", "began", "yes", now());
}

/** Chats that have a card of this candidate. They get no message, because the card shows what happens. */
async function chatsWithCard(finder: Finder, sha: string, model: string | null): Promise<Set<number>> {
  return new Set((await finder.find(sha, model)).map(({ place }) => place.chat));
}

async function runChanged(context: BotContext, run: Run, learning: boolean, finder: Finder): Promise<void> {
  const { store, now, bot } = context;
  const state = `${run.status}/${run.conclusion ?? ""}`;
  const before = store.seen.state("run", run.id);
  if (before === state) return;
  // Fetch everything before the transaction: code inside it must not wait.
  const gateOver = run.file === bot.github.gate && run.status === "completed";
  const withCard = gateOver && !learning ? await chatsWithCard(finder, run.sha, null) : new Set<number>();
  const answer = learning ? null : await endQuestion(context, run);
  store.transaction(() => {
    store.seen.set("run", run.id, state, now());
    if (learning) {
      if (gateOver) store.seen.set("gate", run.branch, run.conclusion ?? "", now());
      return;
    }
    followAction(context, run);
    answer?.();
    if (gateOver) gateEnded(context, run, withCard);
  });
}

/** A branch's gate is reported only when its result changes, or when its first result is red. */
function gateEnded(context: BotContext, run: Run, withCard: ReadonlySet<number>): void {
  const { store, now } = context;
  const last = store.seen.state("gate", run.branch);
  const conclusion = run.conclusion ?? "";
  if (!["success", "failure", "timed_out", "startup_failure"].includes(conclusion)) return;
  store.seen.set("gate", run.branch, conclusion, now());
  const green = conclusion === "success";
  if (last === null ? green : (last === "success") === green) return;
  notifySubscribers(context, {
    key: `gate:${run.id}`,
    kind: "gate",
    models: null,
    reply: {
      html: `${withSign(conclusion)} ${linkHtml(`gate of ${run.branch}`, run.url)} ${shortSha(run.sha)} by ${safe(run.actor, 40)}${last === null ? "" : `, after ${safe(last, 20)}`}`,
    },
    silent: false,
    except: withCard,
  });
}

/** Keeps the message of the action that started a run up to date with the run. */
function followAction(context: BotContext, run: Run): void {
  const { store, now } = context;
  const id = store.seen.state("action-run", run.id);
  const action = id === null ? null : store.actions.find(id);
  const shown = action === null ? null : store.messages.byKey(action.messageKey);
  if (action === null || shown === null) return;
  const reply = stateCard(
    context,
    { ...action, result: `run ${run.id}: ${run.conclusion ?? run.status}` },
    { text: run.title, url: run.url },
  );
  store.messages.want(action.messageKey, shown, toContent(context, reply, shown.chat, action.messageKey), now());
}

const ended = new Set(["success", "failure", "error"]);
const stateWords: Record<string, string> = {
  success: "🟢 live",
  failure: "🛑 failed",
  error: "🛑 failed",
  in_progress: "🚚 deploying",
  queued: "⏳ queued",
  pending: "⏳ pending",
};

async function deploymentChanged(
  context: BotContext,
  { id, payload, environment, sha, creator, createdAt }: Deployment,
  { state, description, environmentUrl, logUrl }: DeploymentStatus,
  learning: boolean,
  finder: Finder,
): Promise<void> {
  const { store, now } = context;
  if (payload === null || store.seen.state("deployment", id) === state) return;
  const withCard = learning ? new Set<number>() : await chatsWithCard(finder, sha, payload.model);
  store.transaction(() => {
    const place = `${payload.model}/${environment}`;
    const last = store.seen.state("live", place);
    store.seen.set("deployment", id, state, now());
    if (ended.has(state)) store.seen.set("live", place, state, now());
    if (learning || state === "inactive") return;
    const red = state === "failure" || state === "error";
    const recovered = state === "success" && (last === "failure" || last === "error");
    const html = [
      `${stateWords[state] ?? escapeHtml(state)} <b>${safe(payload.model)}</b> ${safe(payload.version, 40)} in ${safe(environment)}${payload.verdict === null ? "" : `, ${withSign(payload.verdict)}`}`,
      ...(description === "" ? [] : [safe(description, 200)]),
      `${shortSha(sha)} by ${safe(creator, 40)}, ${ago(createdAt, now())}${environmentUrl === "" ? "" : ` · ${linkHtml("Space", environmentUrl)}`}${logUrl === "" ? "" : ` · ${linkHtml("run", logUrl)}`}`,
    ].join("\n");
    // An edit makes no sound, so a deployment that turned red or recovered gets a new message.
    const audible = red || recovered;
    notifySubscribers(context, {
      key: `deployment:${id}${audible ? `:${state}` : ""}`,
      kind: "deploy",
      models: [payload.model],
      reply: { html },
      silent: !audible,
      except: withCard,
      // No mute hides that users meet a failed deployment.
      muteable: !(red && stageOf(context.bot, environment) === context.bot.live),
    });
  });
}
