import { chat, type Scene } from "./scene.ts";

/** Writes to the bot in the team's chat. @returns the bot's next message that matches `as` */
export async function answerTo(scene: Scene, who: keyof Scene["people"], text: string, as: RegExp): Promise<string> {
  scene.telegram.people.says(scene.people[who], text, { chat });
  const asked = scene.telegram.state.chats.get(chat)?.lastMessageId ?? 0;
  return await scene.until(
    () => scene.said().find((message) => message.message_id > asked && as.test(message.text ?? ""))?.text,
    `an answer to ${text}`,
  );
}

/**
 * The kinds of requests that the bot sent to GitHub since a position in the transcript, with its own token or a
 * person's. Requests of jobs and of this scene are not counted.
 */
function askedByBot({ github }: Scene, since: number): Set<string> {
  const own = github.transcript
    .slice(since)
    .filter(({ runId, owner }) => runId === null && (owner === "sluice-bot" || owner === "omar"));
  return new Set(
    own.map(
      ({ method, path, query }) =>
        `${method} ${path}?${new URLSearchParams(query as Record<string, string>).toString()}`,
    ),
  );
}

/** Waits until the bot has polled GitHub `times` more times. @returns the kinds of its requests in the meantime */
export async function waitForPolls(scene: Scene, times: number): Promise<Set<string>> {
  const since = scene.github.transcript.length;
  const begins = () =>
    scene.github.transcript
      .slice(since)
      .filter(({ owner, path }) => owner === "sluice-bot" && path.endsWith("/actions/runs")).length;
  await scene.until(() => begins() > times, "the bot to look at GitHub");
  return askedByBot(scene, since);
}

/** How many messages the bot has sent, in any chat, plus the taps that it answered. */
export const countSent = ({ telegram }: Scene): number =>
  telegram.transcript.filter(({ method }) => /^(send|answer|copy|forward)/.test(method)).length;
