import type { Story } from "./story.ts";

/** Plays stories in order and reports each one as it ends. Never rejects because a story failed. */
export type Lane = (stories: readonly Story[], onEnd: (story: Story) => void) => Promise<void>;

/**
 * Stories that share nothing with the others run in parallel on a scene of their own. They start when no story that
 * must run alone is left.
 */
export async function playInLanes(
  wanted: readonly Story[],
  main: Lane,
  beside: Lane,
  interrupted?: AbortSignal,
): Promise<void> {
  const own = wanted.filter((story) => story.beside === true);
  const others = wanted.filter((story) => !own.includes(story));
  if (own.length === 0 || others.length === 0) return await main(wanted, () => {});
  const mustBeAlone = new Set(others.filter(({ alone }) => alone === true));
  const { promise: quietIsOver, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (mustBeAlone.size === 0 || interrupted?.aborted === true) resolve();
  };
  interrupted?.addEventListener("abort", look, { once: true });
  look();
  const onEnd = (story: Story) => {
    mustBeAlone.delete(story);
    look();
  };
  await Promise.all([
    main(others, onEnd),
    quietIsOver.then(async () => {
      if (interrupted?.aborted !== true) await beside(own, () => {});
    }),
  ]);
}
