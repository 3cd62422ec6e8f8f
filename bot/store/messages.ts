import { dayMs } from "../telegram/clock.ts";
import type { Content } from "../telegram/send-or-edit.ts";
import type { Database, Row } from "./database.ts";

export type Place = { chat: number; topic: number | null };
export type StoredMessage = {
  key: string;
  chat: number;
  topic: number | null;
  messageId: number | null;
  content: Content;
  /** The content of the last attempted send; null if there was none. */
  sent: Content | null;
  silent: boolean;
  wanted: number;
  /** "sending": a send was started and its outcome is not known. */
  state: "waiting" | "sending" | "shown" | "dead";
  afterId: number;
  attempts: number;
};

/**
 * The bot's messages as they should read. `want` stores a message in the caller's transaction; delivery then makes
 * Telegram agree. Wanting another text under the same key changes the message, so work that runs twice posts only once.
 */
export class Messages {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** Sends or edits the message of this key. */
  want(
    key: string,
    { chat, topic }: Place,
    content: Content,
    now: number,
    {
      silent = false,
      messageId = null,
      again = false,
    }: {
      silent?: boolean;
      messageId?: number | null;
      /**
       * Delivers it even if it already looks like this as far as the bot knows, because somebody else may have changed
       * it.
       */
      again?: boolean;
    } = {},
  ): void {
    const text = JSON.stringify(content);
    this.db.transaction(() => {
      const old = this.db.get("SELECT content FROM messages WHERE key = ?", key);
      if (old?.["content"] === text && !again) return;
      const seq = this.next();
      if (old === undefined) {
        this.db.run(
          "INSERT INTO messages (key, chat, topic, message_id, content, silent, wanted, changed_seq, state, created_at) VALUES (?, ?, ?, ?, ?, ?, 1, ?, 'waiting', ?)",
          key,
          this.whereIs(chat),
          topic,
          messageId,
          text,
          silent ? 1 : 0,
          seq,
          now,
        );
      } else {
        this.db.run(
          "UPDATE messages SET content = ?, wanted = wanted + 1, changed_seq = ?, attempts = 0, state = CASE state WHEN 'sending' THEN 'sending' ELSE 'waiting' END WHERE key = ?",
          text,
          seq,
          key,
        );
      }
    });
  }

  /** The key of one of the bot's messages; null if the message is not known. */
  keyOf(chat: number, messageId: number): string | null {
    return (this.db.get("SELECT key FROM messages WHERE chat = ? AND message_id = ?", chat, messageId)?.["key"] ??
      null) as string | null;
  }

  byKey(key: string): StoredMessage | null {
    const row = this.db.get("SELECT * FROM messages WHERE key = ?", key);
    return row === undefined ? null : read(row);
  }

  chatsToServe(): number[] {
    return this.db
      .all("SELECT DISTINCT chat FROM messages WHERE state IN ('waiting', 'sending')")
      .map((row) => Number(row["chat"]));
  }

  nextFor(chat: number): StoredMessage | null {
    const row = this.db.get(
      "SELECT * FROM messages WHERE chat = ? AND state IN ('waiting', 'sending') ORDER BY state = 'sending' DESC, changed_seq LIMIT 1",
      chat,
    );
    return row === undefined ? null : read(row);
  }

  /** Recorded before the call, so that after a kill the bot knows to find out whether this message was sent. */
  sending(key: string, afterId: number, content: Content): void {
    this.db.run(
      "UPDATE messages SET state = 'sending', after_id = ?, sent = ? WHERE key = ?",
      afterId,
      JSON.stringify(content),
      key,
    );
  }

  shown(key: string, wanted: number, messageId: number, chat: number, topic: number | null): void {
    this.db.run(
      "UPDATE messages SET message_id = ?, chat = ?, topic = ?, shown = ?, attempts = 0, state = CASE WHEN wanted = ? THEN 'shown' ELSE 'waiting' END WHERE key = ?",
      messageId,
      chat,
      topic,
      wanted,
      wanted,
      key,
    );
    this.saw(chat, messageId);
  }

  /** Records that the message was sent, perhaps with an older text. */
  found(key: string, messageId: number): void {
    this.db.run("UPDATE messages SET message_id = ?, state = 'waiting' WHERE key = ?", messageId, key);
  }

  notSent(key: string): void {
    this.db.run("UPDATE messages SET state = 'waiting', attempts = attempts + 1 WHERE key = ?", key);
  }

  tried(key: string): void {
    this.db.run("UPDATE messages SET attempts = attempts + 1 WHERE key = ?", key);
  }

  dead(key: string, reason: string): void {
    this.db.run("UPDATE messages SET state = 'dead', reason = ? WHERE key = ?", reason, key);
  }

  /** The greatest message_id seen in a chat. */
  lastId(chat: number): number {
    return Number(this.db.get("SELECT last_message_id FROM chats WHERE chat = ?", chat)?.["last_message_id"] ?? 0);
  }

  saw(chat: number, messageId: number): void {
    this.db.run(
      "INSERT INTO chats (chat, last_message_id) VALUES (?, ?) ON CONFLICT (chat) DO UPDATE SET last_message_id = max(last_message_id, excluded.last_message_id)",
      chat,
      messageId,
    );
  }

  /** Records a message that a person wrote. */
  heard(chat: number, messageId: number, now: number): void {
    this.saw(chat, messageId);
    this.db.run("INSERT OR IGNORE INTO heard (chat, message_id, at) VALUES (?, ?, ?)", chat, messageId, now);
  }

  /** Whether a message is known, be it the bot's or a person's. */
  isKnown(chat: number, messageId: number): boolean {
    return (
      this.keyOf(chat, messageId) !== null ||
      this.db.get("SELECT 1 AS one FROM heard WHERE chat = ? AND message_id = ?", chat, messageId) !== undefined
    );
  }

  moved(from: number, to: number): void {
    this.db.transaction(() => {
      this.db.run(
        "INSERT INTO chats (chat, last_message_id, moved_to) VALUES (?, 0, ?) ON CONFLICT (chat) DO UPDATE SET moved_to = excluded.moved_to",
        from,
        to,
      );
      this.db.run(
        "UPDATE messages SET chat = ?, message_id = NULL WHERE chat = ? AND state IN ('waiting', 'sending')",
        to,
        from,
      );
      for (const table of ["subscriptions", "mutes", "digests"])
        this.db.run(`UPDATE OR REPLACE ${table} SET chat = ? WHERE chat = ?`, to, from);
    });
  }

  /** The chat's current id: a group that became a supergroup has a new one. */
  private whereIs(chat: number): number {
    return Number(this.db.get("SELECT moved_to FROM chats WHERE chat = ?", chat)?.["moved_to"] ?? chat);
  }

  forget(before: number, now: number): void {
    this.db.run("DELETE FROM heard WHERE at < ?", now - dayMs);
    this.db.run("DELETE FROM messages WHERE state IN ('shown', 'dead') AND created_at < ?", before);
  }

  private next(): number {
    this.db.run(
      "INSERT INTO counters (name, value) VALUES ('message', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
    );
    return Number(this.db.get("SELECT value FROM counters WHERE name = 'message'")?.["value"]);
  }
}

function read(row: Row): StoredMessage {
  return {
    key: String(row["key"]),
    chat: Number(row["chat"]),
    topic: row["topic"] as number | null,
    messageId: row["message_id"] as number | null,
    content: JSON.parse(String(row["content"])) as Content,
    sent: row["sent"] == null ? null : (JSON.parse(String(row["sent"])) as Content),
    silent: row["silent"] === 1,
    wanted: Number(row["wanted"]),
    state: row["state"] as StoredMessage["state"],
    afterId: Number(row["after_id"]),
    attempts: Number(row["attempts"]),
  };
}
