import { dayMs } from "../telegram/clock.ts";
import type { Content } from "../telegram/send-or-edit.ts";
import type { Database, Row } from "./database.ts";

/**
 * Telegram numbers the messages of all the bot's private chats in one sequence, and those of a supergroup or channel on
 * their own. (Basic groups share the sequence of the private chats. Treating them apart only makes a search longer.)
 */
const sharesNumbers = (chat: number) => chat > 0;

/** `replyTo`: the message that one here answers, at its first sending. */
export type Place = { chat: number; topic: number | null; replyTo?: number | null };
export type StoredMessage = {
  key: string;
  chat: number;
  topic: number | null;
  messageId: number | null;
  replyTo: number | null;
  content: Content;
  /** The content of the last attempted send; null if there was none. */
  sent: Content | null;
  silent: boolean;
  urgent: boolean;
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
    { chat, topic, replyTo }: Place,
    content: Content,
    now: number,
    {
      silent = false,
      urgent = false,
      messageId = null,
      again = false,
    }: {
      silent?: boolean;
      /** Goes before answers to commands: an alert, or a question that somebody must answer. */
      urgent?: boolean;
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
          "INSERT INTO messages (key, chat, topic, message_id, reply_to, content, silent, urgent, wanted, changed_seq, state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, 'waiting', ?)",
          key,
          this.whereIs(chat),
          topic,
          messageId,
          replyTo ?? null,
          text,
          silent ? 1 : 0,
          urgent ? 1 : 0,
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

  /** The messages whose keys begin with a text. */
  withPrefix(prefix: string): StoredMessage[] {
    return this.db
      .all("SELECT * FROM messages WHERE substr(key, 1, ?) = ? ORDER BY key", prefix.length, prefix)
      .map(read);
  }

  /** Chats with undelivered messages, once for urgent ones and once for others. */
  lanesToServe(): { chat: number; urgent: boolean }[] {
    return this.db
      .all("SELECT DISTINCT chat, urgent FROM messages WHERE state IN ('waiting', 'sending')")
      .map((row) => ({ chat: Number(row["chat"]), urgent: row["urgent"] === 1 }));
  }

  nextFor(chat: number, urgent: boolean): StoredMessage | null {
    const row = this.db.get(
      "SELECT * FROM messages WHERE chat = ? AND urgent = ? AND state IN ('waiting', 'sending') ORDER BY state = 'sending' DESC, changed_seq LIMIT 1",
      chat,
      urgent ? 1 : 0,
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

  /** Forgets the message of a key, so that its next text is a new message. */
  drop(key: string): void {
    this.db.run("DELETE FROM messages WHERE key = ?", key);
  }

  dead(key: string, reason: string): void {
    this.db.run("UPDATE messages SET state = 'dead', reason = ? WHERE key = ?", reason, key);
  }

  /** The greatest message_id seen in a chat, or in all chats that number their messages together with it. */
  lastId(chat: number): number {
    const row = sharesNumbers(chat)
      ? this.db.get("SELECT max(last_message_id) AS last FROM chats WHERE chat > 0")
      : this.db.get("SELECT last_message_id AS last FROM chats WHERE chat = ?", chat);
    return Number(row?.["last"] ?? 0);
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

  /**
   * Whether a message_id is known to be another message's, be it the bot's or a person's, also in another chat that
   * numbers its messages together with this one.
   */
  isKnown(chat: number, messageId: number): boolean {
    if (!sharesNumbers(chat))
      return (
        this.keyOf(chat, messageId) !== null ||
        this.db.get("SELECT 1 AS one FROM heard WHERE chat = ? AND message_id = ?", chat, messageId) !== undefined
      );
    return ["messages", "heard"].some(
      (table) =>
        this.db.get(`SELECT 1 AS one FROM ${table} WHERE message_id = ? AND chat > 0`, messageId) !== undefined,
    );
  }

  /**
   * A group became a supergroup: everything that is stored about it now belongs to the new number. Messages that were
   * shown stay where they are, in the part of the history that came along.
   */
  moved(from: number, to: number): void {
    this.db.transaction(() => {
      this.db.run(
        "INSERT INTO chats (chat, last_message_id, moved_to) VALUES (?, 0, ?) ON CONFLICT (chat) DO UPDATE SET moved_to = excluded.moved_to",
        from,
        to,
      );
      // The old messages can't be edited any more. What still changes is sent anew into the supergroup.
      this.db.run("UPDATE messages SET chat = ?, message_id = NULL, topic = NULL WHERE chat = ?", to, from);
      this.db.run(
        "UPDATE messages SET state = 'dead', reason = 'chat-migrated' WHERE chat = ? AND key LIKE 'under:%' AND message_id IS NULL",
        to,
      );
      this.db.run("UPDATE nonces SET chat = ? WHERE chat = ?", to, from);
      for (const table of ["subscriptions", "mutes", "digests", "pins"])
        this.db.run(`UPDATE OR REPLACE ${table} SET chat = ? WHERE chat = ?`, to, from);
    });
  }

  /** The chat's current number: a group that became a supergroup has a new one. */
  whereIs(chat: number): number {
    return Number(this.db.get("SELECT moved_to FROM chats WHERE chat = ?", chat)?.["moved_to"] ?? chat);
  }

  /** The number that a chat had before it became a supergroup; its own if it did not. */
  movedFrom(chat: number): number {
    return Number(this.db.get("SELECT chat FROM chats WHERE moved_to = ?", chat)?.["chat"] ?? chat);
  }

  forget(before: number, now: number): void {
    this.db.run("DELETE FROM heard WHERE at < ?", now - dayMs);
    // A pinned message changes for as long as its chat wants it.
    this.db.run(
      "DELETE FROM messages WHERE state IN ('shown', 'dead') AND created_at < ? AND key NOT LIKE 'pinned:%'",
      before,
    );
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
    replyTo: row["reply_to"] as number | null,
    content: JSON.parse(String(row["content"])) as Content,
    sent: row["sent"] == null ? null : (JSON.parse(String(row["sent"])) as Content),
    silent: row["silent"] === 1,
    urgent: row["urgent"] === 1,
    wanted: Number(row["wanted"]),
    state: row["state"] as StoredMessage["state"],
    afterId: Number(row["after_id"]),
    attempts: Number(row["attempts"]),
  };
}
