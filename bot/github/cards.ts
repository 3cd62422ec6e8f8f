import { cardKey, placeDigest, readComment, readDescription, type Remembered } from "../../github/registry/card.ts";
import type { BotConfiguration } from "../config/config.ts";
import type { Place } from "../store/messages.ts";
import { isRefusal } from "../../github/api.ts";
import type { DeploymentStatus, GitHub } from "./github.ts";

/** A card that actions/notify keeps in one of the bot's chats. */
export type FoundCard = { place: Place; pullRequest: number | null; card: Remembered };
export type Finder = {
  /** Cards of a model's candidate, one for each place; `model` null: of any model. */
  find: (sha: string, model: string | null) => Promise<FoundCard[]>;
};

/** Every place where the bot may put buttons: its chats, including private ones, each with the known topics. */
function placesOf(
  { telegram: { chats, users, privateChats, topics } }: BotConfiguration,
  heardIn: readonly Place[],
): Place[] {
  return [
    ...chats.flatMap((chat) => [null, ...topics].map((topic) => ({ chat, topic }))),
    ...(privateChats ? users.map(({ id }) => ({ chat: id, topic: null })) : []),
    // Also the supergroup that a listed group has become.
    ...heardIn.filter(({ topic, chat }) => topic !== null || (chat < 0 && !chats.includes(chat))),
  ];
}

/**
 * Looks up cards where actions/notify stores them: on the commit's pull request, otherwise in the commit's Deployments.
 * Only comments by accounts that bot.yaml names count, because anybody can paste the marker into a comment. A finder
 * caches its answers, so make a new one for each search.
 */
export function cardFinder(
  github: GitHub,
  bot: BotConfiguration,
  heardIn: readonly Place[],
  onRefusal: (error: unknown) => void,
): Finder {
  const places = placesOf(bot, heardIn).map((place) => ({ place, digest: placeDigest(place.chat, place.topic) }));
  const trusted = new Set(bot.github.cards.map((login) => login.toLowerCase()));
  const once = <T>(nothing: T, work: (key: string) => Promise<T>) => {
    const asked = new Map<string, Promise<T>>();
    return (key: string) => {
      const answer =
        asked.get(key) ??
        work(key).catch((error: unknown) => {
          // A token without access to pull requests finds no cards. Any other failure is thrown, and the next poll asks
          // again.
          if (!isRefusal(error)) throw error;
          onRefusal(error);
          return nothing;
        });
      asked.set(key, answer);
      return answer;
    };
  };
  const pullRequests = once<number[]>([], (sha) => github.pullRequestsOf(sha));
  const bodies = once<string[]>([], async (pullRequest) =>
    (await github.comments(Number(pullRequest)))
      .filter(({ author }) => trusted.has(author.toLowerCase()))
      .map(({ body }) => body),
  );
  const described = once<DeploymentStatus[][]>([], async (sha) =>
    Promise.all((await github.deployments({ sha, count: 10 })).map(({ id }) => github.statuses(id))),
  );
  return {
    async find(sha, model) {
      const [pullRequest] = await pullRequests(sha);
      if (pullRequest !== undefined) {
        const comments = await bodies(String(pullRequest));
        const found = places.flatMap(({ place, digest }) => {
          const card = comments
            .map((body) => readComment(body, digest))
            .map((cards) =>
              cards === null
                ? undefined
                : model === null
                  ? Object.values(cards)[0]
                  : Object.hasOwn(cards, cardKey(model))
                    ? cards[cardKey(model)]
                    : undefined,
            )
            .find((one) => one !== undefined);
          return card === undefined ? [] : [{ place, pullRequest, card }];
        });
        if (found.length > 0) return found;
      }
      const models = model === null ? bot.models.map(({ id }) => id) : [model];
      const statuses = (await described(sha)).flat();
      return places.flatMap(({ place, digest }) => {
        const card = statuses
          .flatMap((one) => models.map((id) => readDescription(one, digest, id)))
          .find((one) => one !== null);
        return card == null ? [] : [{ place, pullRequest: pullRequest ?? null, card }];
      });
    },
  };
}
