import { afterEach, expect, it } from "vitest";
import { keepPinned, pinKey } from "../../../bot/events/pinned-status.ts";
import { createTelegram } from "../../../bot/telegram/client.ts";
import { addChat, startTelegram } from "../../../rehearsal/telegram/server.ts";
import { botInProcess, gateRun, group, type InProcessBot } from "../in-process.ts";

let here: InProcessBot;
afterEach(() => here.close());

it("changes in place every five minutes, and asks once only to pin where the bot may not", async () => {
  here = await botInProcess();
  gateRun(here.state, {});
  const telegram = await startTelegram();
  addChat(telegram.state, { id: group });
  const client = createTelegram({ token: telegram.token, apiRoot: telegram.url });
  const { store, now } = here.context;
  const keep = () => keepPinned(here.context, client, new AbortController().signal);
  const read = () => store.messages.byKey(pinKey(group));

  store.pins.add({ chat: group, topic: null });
  await keep();
  const first = read();
  expect(first?.content.plain).toContain("Status of production");
  await keep();
  expect(read()?.wanted).toBe(1);

  store.messages.shown(pinKey(group), 1, 7, group, null);
  await keep();
  await keep();
  // There is no message 7 at that Telegram, so it refuses.
  expect(telegram.transcript.map(({ method, status }) => [method, status])).toEqual([["pinChatMessage", 400]]);
  expect(here.log.join("\n")).toContain("not-pinned");

  here.later(5 * 60_000);
  await keep();
  expect(read()).toMatchObject({ wanted: 2, messageId: 7 });

  store.forget(now() + 90 * 86_400_000);
  expect(read()).not.toBeNull();
  await telegram.close();
});
