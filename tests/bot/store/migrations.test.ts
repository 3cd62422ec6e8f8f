import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { readUpdate, updateSchema, type UserUpdate } from "../../../bot/telegram/update.ts";
import { migrations } from "../../../bot/store/migrations.ts";

const lastOfOldForm = 4;

describe("updates that wait while the bot is replaced by a newer one", () => {
  const common = { topic: null, privateChat: true, user: 11, name: 'Ana "A" O\'Neill', messageId: 5 };
  const waiting: UserUpdate[] = [
    { ...common, updateId: 1, chat: 11, act: { kind: "text", text: '/predict mood {"text": "so\ngood"}' } },
    { ...common, updateId: 2, chat: -100, privateChat: false, topic: 7, act: { kind: "text", text: "/status" } },
    { ...common, updateId: 3, chat: 11, act: { kind: "callback", query: "q1", data: "n:abc" } },
  ];

  it.each(waiting)("$act.kind in $chat means the same afterwards", (update) => {
    const db = new DatabaseSync(":memory:");
    for (const migration of migrations.slice(0, lastOfOldForm)) db.exec(migration);
    db.prepare(
      "INSERT INTO updates (update_id, chat, lane, body, state, received_at) VALUES (?, ?, '', ?, 'waiting', 0)",
    ).run(update.updateId, update.chat, JSON.stringify(update));
    for (const migration of migrations.slice(lastOfOldForm)) db.exec(migration);
    const raw = updateSchema.parse(JSON.parse(String(db.prepare("SELECT body FROM updates").get()!["body"])));
    expect(readUpdate(raw)).toEqual(update);
    if (update.act.kind === "text")
      expect(raw.message!["entities"]).toMatchObject([{ length: /^\/\w+/.exec(update.act.text)![0].length }]);
  });
});
