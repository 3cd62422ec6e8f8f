import { expect, it } from "vitest";
import { Store } from "../../../bot/store/store.ts";

it("each model's events come into the topic where it was subscribed", () => {
  const store = new Store(":memory:", null);
  const { subscriptions } = store;
  subscriptions.add({ chat: -1003, topic: 5, model: "mood", event: "all" });
  subscriptions.add({ chat: -1003, topic: 6, model: "births", event: "all" });
  const places = (model: string) => subscriptions.listeners([model], "gate", 0);
  expect(places("mood")).toEqual([{ chat: -1003, topic: 5 }]);
  expect(places("births")).toEqual([{ chat: -1003, topic: 6 }]);
  store.close();
});
