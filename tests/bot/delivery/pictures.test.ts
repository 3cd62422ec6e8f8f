import { afterEach, beforeEach, expect, it } from "vitest";
import { Delivery } from "../../../bot/delivery/delivery.ts";
import { createLog } from "../../../bot/context/log.ts";
import { Store } from "../../../bot/store/store.ts";
import { createTelegram } from "../../../bot/telegram/client.ts";
import { addChat, startTelegram, type StandInTelegram } from "../../../rehearsal/telegram/server.ts";
import { quickClock } from "../telegram/clock.ts";

const chat = -1001234567890;
const picture = (colour: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="200" height="100" fill="${colour}"/></svg>`;
let telegram: StandInTelegram;
let store: Store;
let delivery: Delivery;
beforeEach(async () => {
  telegram = await startTelegram();
  addChat(telegram.state, { id: chat });
  store = new Store(":memory:", null);
  const clock = quickClock();
  delivery = new Delivery({
    store,
    client: createTelegram({ token: telegram.token, apiRoot: telegram.url, clock, timeoutMs: 5_000 }),
    log: createLog(
      () => {},
      (text) => text,
      () => 0,
    ),
    clock,
    signal: new AbortController().signal,
  });
});
afterEach(async () => {
  await telegram.close();
  expect(telegram.violations).toEqual([]);
});
async function want(text: string, svg: string | undefined): Promise<void> {
  const content = { html: text, plain: text, ...(svg === undefined ? {} : { picture: svg }) };
  store.messages.want("alert", { chat, topic: null }, content, 0);
  delivery.kick();
  await delivery.settled();
}
const shown = () =>
  telegram.state.messages.map(({ message_id, caption, text, edits }) => [message_id, caption ?? text, edits]);

it("the same picture stays, and its caption is edited; with another one the message is sent anew, once", async () => {
  await want("worse", picture("#f00"));
  await want("worse, seen", picture("#f00"));
  expect(shown()).toEqual([[1, "worse, seen", 1]]);
  await want("holds", picture("#0f0"));
  expect(shown()).toEqual([[2, "holds", 0]]);
  await want("holds, seen", picture("#0f0"));
  expect(shown()).toEqual([[2, "holds, seen", 1]]);
  await want("only words", undefined);
  expect(shown()).toEqual([[3, "only words", 0]]);
});
