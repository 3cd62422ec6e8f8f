import type { Database } from "./database.ts";
import type { Place } from "./messages.ts";

/** A status message that is kept up to date in a chat. `pinned`: its message id, once it was pinned. */
export type Pin = { chat: number; topic: number | null; pinned: number | null; writtenAt: number };

/** The chats with a pinned status message, one for each chat. */
export class Pins {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  add({ chat, topic }: Place): void {
    this.db.run("INSERT OR IGNORE INTO pins (chat, topic) VALUES (?, ?)", chat, topic);
  }

  /** @returns whether there was one */
  remove(chat: number): boolean {
    return this.db.run("DELETE FROM pins WHERE chat = ?", chat) > 0;
  }

  all(): Pin[] {
    return this.db.all("SELECT * FROM pins ORDER BY chat").map(({ chat, topic, pinned, written_at: writtenAt }) => ({
      chat: Number(chat),
      topic: topic as number | null,
      pinned: pinned as number | null,
      writtenAt: Number(writtenAt),
    }));
  }

  written(chat: number, at: number): void {
    this.db.run("UPDATE pins SET written_at = ? WHERE chat = ?", at, chat);
  }

  pinned(chat: number, messageId: number): void {
    this.db.run("UPDATE pins SET pinned = ? WHERE chat = ?", messageId, chat);
  }
}
