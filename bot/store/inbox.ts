import { dayMs } from "../telegram/clock.ts";
import type { Database, Row } from "./database.ts";

export type StoredUpdate = { updateId: number; chat: number; body: string; attempts: number };

/** How long an update's id is remembered. Telegram keeps undelivered updates for a day. */
const rememberMs = 14 * dayMs;

/** Updates. Each is accepted once and kept until it has been handled. */
export class Inbox {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** @returns false if the update was accepted before */
  take(updateId: number, chat: number, body: string, now: number): boolean {
    return (
      this.db.run(
        "INSERT OR IGNORE INTO updates (update_id, chat, body, state, received_at) VALUES (?, ?, ?, 'waiting', ?)",
        updateId,
        chat,
        body,
        now,
      ) > 0
    );
  }

  /** Chats with waiting updates, the longest waiting first. */
  chatsToServe(): number[] {
    return this.db
      .all("SELECT chat FROM updates WHERE state = 'waiting' GROUP BY chat ORDER BY min(seq)")
      .map((row) => Number(row["chat"]));
  }

  /** The oldest waiting update of a chat. */
  nextFor(chat: number): StoredUpdate | null {
    const row = this.db.get("SELECT * FROM updates WHERE state = 'waiting' AND chat = ? ORDER BY seq LIMIT 1", chat);
    return row === undefined ? null : read(row);
  }

  begun(updateId: number): void {
    this.db.run("UPDATE updates SET attempts = attempts + 1 WHERE update_id = ?", updateId);
  }

  /** Deletes the update's text and keeps its id. */
  done(updateId: number): void {
    this.db.run("UPDATE updates SET state = 'done', body = NULL WHERE update_id = ?", updateId);
  }

  forget(now: number): void {
    this.db.run("DELETE FROM updates WHERE state = 'done' AND received_at < ?", now - rememberMs);
  }
}

function read(row: Row): StoredUpdate {
  return {
    updateId: Number(row["update_id"]),
    chat: Number(row["chat"]),
    body: String(row["body"]),
    attempts: Number(row["attempts"]),
  };
}
