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

  /**
   * @param lane updates of one lane are handled one after the other
   * @returns false if the update was accepted before
   */
  take(updateId: number, chat: number, lane: string, body: string, now: number): boolean {
    return (
      this.db.run(
        "INSERT OR IGNORE INTO updates (update_id, chat, lane, body, state, received_at) VALUES (?, ?, ?, ?, 'waiting', ?)",
        updateId,
        chat,
        lane,
        body,
        now,
      ) > 0
    );
  }

  /** Lanes with waiting updates, the longest waiting first. */
  lanesToServe(): string[] {
    return this.db
      .all("SELECT lane FROM updates WHERE state = 'waiting' GROUP BY lane ORDER BY min(seq)")
      .map((row) => String(row["lane"]));
  }

  /** The oldest waiting update of a lane. */
  nextFor(lane: string): StoredUpdate | null {
    const row = this.db.get("SELECT * FROM updates WHERE state = 'waiting' AND lane = ? ORDER BY seq LIMIT 1", lane);
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
