import { createHash } from "node:crypto";
import { z } from "zod";
import type { GitHub } from "./github.ts";

/** What a later job or run must know of a card: its message, the message that rang for it, and how red people last saw it. */
export const remembered = z.strictObject({
  message: z.int().positive(),
  ring: z.int().positive().nullable(),
  tone: z.enum(["pending", "green", "attention", "red"]),
});
export type Remembered = z.infer<typeof remembered>;

/** Where the cards of one chat are remembered; there is no store besides GitHub. */
export type Memory = {
  recall: (model: string) => Promise<Remembered | null>;
  /** Takes a card in; `write` makes it last. */
  remember: (model: string, card: Remembered) => void;
  write: () => Promise<void>;
};

/** 3,000 comments, as the gate searches. */
const mostPages = 30;
const cards = z.record(z.string(), remembered);
type Kept = { id: number; cards: Record<string, Remembered> };

/** Chat and topic as a short digest: a comment may be public, a chat's id need not be. */
export function placeOf(chat: string, topic: number | null): string {
  return createHash("sha256").update(`${chat}/${topic ?? ""}`).digest("hex").slice(0, 12);
}

const safe = (text: string) => text.replace(/[^\w.-]/g, "_").slice(0, 64);

/**
 * In one small comment on the pull request for all models that a run tells about. Jobs of a matrix, each with models
 * of its own, keep a comment each, so that none overwrites another's. Only the token's own comments are believed.
 */
export function inPullRequest(github: GitHub, pullRequest: number, place: string): Memory {
  const marker = `<!-- sluice-card chat=${place} cards=`;
  const fresh: Record<string, Remembered> = {};
  let known: Promise<Kept[]> | undefined;
  let me: Promise<string> | undefined;

  async function read(): Promise<Kept[]> {
    const marked = [];
    let pages = 0;
    for await (const page of github.comments(pullRequest)) {
      marked.push(...page.filter((one) => one.body.startsWith(marker)));
      if (++pages >= mostPages) break;
    }
    if (marked.length === 0) return [];
    me ??= github.whoAmI();
    const author = await me;
    return marked.filter((one) => one.author === author).map((one) => ({ id: one.id, cards: parse(one.body) }));
  }

  function parse(body: string): Record<string, Remembered> {
    const json = /^(\{.*\}) -->/.exec(body.slice(marker.length))?.[1] ?? "{}";
    try { return cards.parse(JSON.parse(json)); } catch { return {}; }
  }

  function bodyOf(all: Record<string, Remembered>): string {
    const names = Object.keys(all).map((name) => `\`${name}\``).join(", ");
    return `${marker}${JSON.stringify(all)} -->\nThe ${Object.keys(all).length === 1 ? "card" : "cards"} of ${names} in the team's Telegram chat.`;
  }

  return {
    async recall(model) {
      known ??= read();
      return (await known).find((one) => Object.hasOwn(one.cards, safe(model)))?.cards[safe(model)] ?? null;
    },
    remember(model, card) {
      fresh[safe(model)] = card;
    },
    async write() {
      const seen = await known?.catch(() => undefined);
      const same = ([model, card]: [string, Remembered]) => seen?.some((one) => JSON.stringify(one.cards[model]) === JSON.stringify(card)) === true;
      if (Object.entries(fresh).every(same)) return;
      // Read again: another job may have written to the same comment since.
      const now = await read();
      const left = { ...fresh };
      for (const { id, cards: old } of now) {
        const mine = Object.entries(left).filter(([model]) => Object.hasOwn(old, model));
        for (const [model] of mine) delete left[model];
        if (mine.some(([model, card]) => JSON.stringify(card) !== JSON.stringify(old[model]))) await github.updateComment(id, bodyOf({ ...old, ...Object.fromEntries(mine) }));
      }
      if (Object.keys(left).length > 0) await github.createComment(pullRequest, bodyOf(left));
    },
  };
}

/**
 * In the description of a Deployment's status. A status repeats the latest one's state and addresses, so that it
 * changes nothing but the description.
 */
export function inDeployment(github: GitHub, deployment: number, place: string): Memory {
  const fresh = new Map<string, Remembered>();
  const markerOf = (model: string) => `Telegram card ${place} ${createHash("sha256").update(model).digest("hex").slice(0, 8)}:`;
  return {
    async recall(model) {
      const marker = markerOf(model);
      const found = (await github.statuses(deployment)).find((one) => one.description.startsWith(marker));
      if (found === undefined) return null;
      const [message, ring, tone] = found.description.slice(marker.length).trim().split(" ");
      const parsed = remembered.safeParse({ message: Number(message), ring: ring === "0" ? null : Number(ring), tone });
      return parsed.success ? parsed.data : null;
    },
    remember(model, card) {
      fresh.set(model, card);
    },
    async write() {
      for (const [model, { message, ring, tone }] of fresh) {
        const { state, logUrl, environmentUrl } = (await github.statuses(deployment))[0] ?? { state: "queued" as const, logUrl: "", environmentUrl: "" };
        await github.addStatus(deployment, { state, description: `${markerOf(model)} ${message} ${ring ?? 0} ${tone}`, logUrl, environmentUrl });
      }
    },
  };
}
