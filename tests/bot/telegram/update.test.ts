import { describe, expect, it } from "vitest";
import { readUpdate, updateSchema } from "../../../bot/telegram/update.ts";

describe("readUpdate", () => {
  it("reads what a person wrote or tapped, and nothing else", () => {
    const from = { id: 11, is_bot: false, first_name: "Ana" };
    const chat = { id: -1, type: "supergroup" };
    const read = (update: object) => readUpdate(updateSchema.parse({ update_id: 1, ...update }));
    expect(read({ message: { message_id: 1, chat, from, text: "/x" } })).toMatchObject({
      user: 11,
      act: { kind: "text", text: "/x" },
    });
    expect(read({ message: { message_id: 1, chat, from, text: "/x", sender_chat: chat } })).toBeNull();
    expect(read({ message: { message_id: 1, chat, from: { ...from, is_bot: true }, text: "/x" } })).toBeNull();
    expect(read({ message: { message_id: 1, chat, text: "/x" } })).toBeNull();
    expect(read({ message: { message_id: 1, chat, from } })).toBeNull();
    expect(read({ callback_query: { id: "1", from, data: "n:x" } })).toBeNull();
    expect(read({ channel_post: {} })).toBeNull();
  });
});
