import {
  cardKey,
  readComment,
  readDescription,
  writeComment,
  writeDescription,
  type Remembered,
} from "../../github/registry/card.ts";
import type { RepositoryApi } from "../../github/api.ts";
import { commentPages, createComment, maxCommentPages, updateComment, viewerOf } from "../../github/comments.ts";
import { deploymentStatuses, describeDeployment } from "../../github/deployments.ts";

/** The remembered cards of one chat. GitHub is the only place where they are stored. */
export type Memory = {
  recall: (model: string) => Promise<Remembered | null>;
  /** Holds a card until `write` stores it. */
  remember: (model: string, card: Remembered) => void;
  write: () => Promise<void>;
};

type Kept = { id: number; cards: Record<string, Remembered> };

/**
 * Stores the cards of all models of a run in one small comment on the pull request. Matrix jobs with different models
 * keep a comment each, so that none overwrites another's. Only comments by the token's own account are trusted.
 */
export function inPullRequest(api: RepositoryApi, pullRequest: number, place: string): Memory {
  const fresh: Record<string, Remembered> = {};
  let known: Promise<Kept[]> | undefined;
  let viewer: Promise<string> | undefined;

  async function read(): Promise<Kept[]> {
    const marked: { id: number; author: string; cards: Record<string, Remembered> }[] = [];
    let pages = 0;
    for await (const page of commentPages(api, pullRequest)) {
      for (const { id, author, body } of page) {
        const cards = readComment(body, place);
        if (cards !== null) marked.push({ id, author, cards });
      }
      if (++pages >= maxCommentPages) break;
    }
    if (marked.length === 0) return [];
    viewer ??= viewerOf(api);
    const author = await viewer;
    return marked.filter((one) => one.author === author).map(({ id, cards }) => ({ id, cards }));
  }

  return {
    async recall(model) {
      known ??= read();
      return (await known).find((one) => Object.hasOwn(one.cards, cardKey(model)))?.cards[cardKey(model)] ?? null;
    },
    remember(model, card) {
      fresh[cardKey(model)] = card;
    },
    async write() {
      if (Object.keys(fresh).length === 0) return;
      // Read again, because another job may have written to the same comment since.
      const now = await read();
      const left = { ...fresh };
      for (const { id, cards: old } of now) {
        const mine = Object.entries(left).filter(([model]) => Object.hasOwn(old, model));
        for (const [model] of mine) delete left[model];
        if (mine.length > 0) await updateComment(api, id, writeComment(place, { ...old, ...Object.fromEntries(mine) }));
      }
      if (Object.keys(left).length > 0) await createComment(api, pullRequest, writeComment(place, left));
    },
  };
}

/** Stores cards in the description of a Deployment's status. */
export function inDeployment(api: RepositoryApi, deployment: number, place: string): Memory {
  const fresh = new Map<string, Remembered>();
  return {
    async recall(model) {
      return (
        (await deploymentStatuses(api, deployment, 100))
          .map((one) => readDescription(one, place, model))
          .find((one) => one !== null) ?? null
      );
    },
    remember(model, card) {
      fresh.set(model, card);
    },
    async write() {
      for (const [model, card] of fresh)
        await describeDeployment(api, deployment, writeDescription(place, model, card));
    },
  };
}
