import type { Story } from "./story.ts";

/** Plays stories one after the other; tells of each one that has ended. Never rejects for a story that failed. */
export type Lane = (stories: readonly Story[], onEnd: (story: Story) => void) => Promise<void>;

/**
 * Stories that share nothing with the others have a stage of their own, on which they are played beside them as soon as
 * nothing is left that must be alone, or `interrupted` is aborted.
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
