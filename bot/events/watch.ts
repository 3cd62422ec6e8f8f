import { stateCard } from "../approvals/card.ts";
import { toContent, type Reply, type Room } from "../commands/command.ts";
import { waitingLines, waitingRun } from "../commands/review.ts";
import { ago, marked, safe, short } from "../commands/words.ts";
import type { Deployment, DeploymentStatus, Run } from "../github/github.ts";
import { inWords } from "../log.ts";
import { escapeHtml, linkHtml } from "../telegram/format.ts";
import type { EventKind } from "../store/subscriptions.ts";

/** Deployments younger than this are looked at each time; older ones have ended. */
const freshMs = 2 * 86_400_000;

/**
 * Looks at GitHub once and tells subscribers what changed since the last look. The first look of all tells nothing:
 * it only learns what is. State and messages are written in one transaction per change, so a kill neither loses nor
 * doubles an alert.
 */
export async function lookOnce(room: Room): Promise<void> {
  const { store, now, github } = room;
  const learning = store.seen.state("watch", "began") === null;
  const runs = await github.runs({ count: 50 });
  for (const run of runs.toReversed()) await runChanged(room, run, learning);
  const deployments = (await github.deployments({ count: 30 })).filter(({ payload, createdAt }) => payload !== null && (learning || createdAt > now() - freshMs));
  for (const deployment of deployments.toReversed()) {
    const state = store.seen.state("deployment", deployment.id);
    if (state !== null && /^(error|failure|inactive)/.test(state)) continue;
    // A status that only carries words (who approved, where a card is) repeats the state before it.
    const statuses = await github.statuses(deployment.id);
    if (statuses[0] !== undefined) deploymentChanged(room, deployment, statuses[0], learning);
  }
  if (learning) store.seen.set("watch", "began", "yes", now());
}

function tell({ store, now, bot }: Room, key: string, kind: EventKind, models: readonly string[] | null, reply: Reply, silent: boolean): void {
  for (const place of store.subscriptions.listeners(models, kind, now())) {
    const own = `${key}:${place.chat}`;
    store.messages.want(own, place, toContent({ store, bot, now }, reply, place.chat, `${own}:${now()}`), now(), { silent });
  }
}

async function runChanged(room: Room, run: Run, learning: boolean): Promise<void> {
  const { store, now, bot, github } = room;
  const state = `${run.status}/${run.conclusion ?? ""}`;
  const before = store.seen.state("run", run.id);
  if (before === state) return;
  // Evidence is fetched before the transaction; inside it nothing waits.
  const waiting = run.status === "waiting" && !learning ? await waitingRun(github, bot, run) : null;
  store.transaction(() => {
    store.seen.set("run", run.id, state, now());
    if (learning) {
      if (run.file === bot.github.gate && run.status === "completed") store.seen.set("gate", run.branch, run.conclusion ?? "", now());
      return;
    }
    followAction(room, run);
    if (waiting !== null && waiting.pending.length > 0) {
      const { lines, buttons } = waitingLines(waiting, now());
      store.seen.set("waiting", run.id, "asked", now());
      tell(room, `run:${run.id}`, "approval", null, { html: lines.join("\n"), buttons }, false);
    } else if (store.seen.state("waiting", run.id) === "asked" && run.status !== "waiting") {
      // The question is answered: its buttons go.
      store.seen.set("waiting", run.id, "answered", now());
      tell(room, `run:${run.id}`, "approval", null, { html: `${marked(run.conclusion ?? run.status)} ${linkHtml(run.title, run.url)} waits no more` }, true);
    }
    if (run.file === bot.github.gate && run.status === "completed") gateEnded(room, run);
  });
}

/** Only a branch whose gate changed colour is news. A pull request's first green is not. */
function gateEnded(room: Room, run: Run): void {
  const { store, now } = room;
  const last = store.seen.state("gate", run.branch);
  const conclusion = run.conclusion ?? "";
  if (!["success", "failure", "timed_out", "startup_failure"].includes(conclusion)) return;
  store.seen.set("gate", run.branch, conclusion, now());
  const green = conclusion === "success";
  if (last === null ? green : (last === "success") === green) return;
  tell(room, `gate:${run.id}`, "gate", null, { html: `${marked(conclusion)} ${linkHtml(`gate of ${run.branch}`, run.url)} ${short(run.sha)} by ${safe(run.actor, 40)}${last === null ? "" : `, after ${safe(last, 20)}`}` }, false);
}

/** The message of an action that started a run follows the run. */
function followAction(room: Room, run: Run): void {
  const { store, now } = room;
  const id = store.seen.state("action-run", run.id);
  const action = id === null ? null : store.actions.find(id);
  const shown = action === null ? null : store.messages.byKey(action.messageKey);
  if (action === null || shown === null) return;
  const reply = stateCard(room, { ...action, result: `run ${run.id}: ${run.conclusion ?? run.status}` }, { text: run.title, url: run.url });
  store.messages.want(action.messageKey, shown, toContent(room, reply, shown.chat, action.messageKey), now());
}

const ended = new Set(["success", "failure", "error"]);
const words: Record<string, string> = { success: "🟢 live", failure: "🛑 failed", error: "🛑 failed", in_progress: "🚚 deploying", queued: "⏳ queued", pending: "⏳ pending" };

function deploymentChanged(room: Room, { id, payload, environment, sha, creator, createdAt }: Deployment, { state, description, environmentUrl, logUrl }: DeploymentStatus, learning: boolean): void {
  const { store, now } = room;
  if (payload === null || store.seen.state("deployment", id) === state) return;
  store.transaction(() => {
    const place = `${payload.model}/${environment}`;
    const last = store.seen.state("live", place);
    store.seen.set("deployment", id, state, now());
    if (ended.has(state)) store.seen.set("live", place, state, now());
    if (learning || state === "inactive") return;
    const red = state === "failure" || state === "error";
    const recovered = state === "success" && (last === "failure" || last === "error");
    const html = [
      `${words[state] ?? escapeHtml(state)} <b>${safe(payload.model)}</b> ${safe(payload.version, 40)} in ${safe(environment)}${payload.verdict === null ? "" : `, ${marked(payload.verdict)}`}`,
      ...(description === "" ? [] : [safe(description, 200)]),
      `${short(sha)} by ${safe(creator, 40)}, ${ago(createdAt, now())}${environmentUrl === "" ? "" : ` · ${linkHtml("Space", environmentUrl)}`}${logUrl === "" ? "" : ` · ${linkHtml("run", logUrl)}`}`,
    ].join("\n");
    // An edit makes no sound: what turned red, or well again, is a message of its own.
    const loud = red || recovered;
    tell(room, `deployment:${id}${loud ? `:${state}` : ""}`, "deploy", [payload.model], { html }, !loud);
  });
}

/** Looks again and again; a look that fails is logged, and the next one comes later. */
export async function watch(room: Room, edges: { signal: AbortSignal; kick: () => void; sleep: (ms: number) => Promise<void> }): Promise<void> {
  for (let failures = 0; !edges.signal.aborted;) {
    try {
      await lookOnce(room);
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!edges.signal.aborted) room.log.warn("watch-failed", { error: inWords(error) });
    }
    edges.kick();
    await edges.sleep(Math.min(room.bot.github.pollSeconds * 1000 * 2 ** Math.min(failures, 5), 600_000));
  }
}
