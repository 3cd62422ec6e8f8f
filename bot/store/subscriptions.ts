import type { Database } from "./database.ts";
import type { Place } from "./messages.ts";

export const events = ["gate", "approval", "deploy", "watch", "all"] as const;
export type EventKind = (typeof events)[number];
type Subscription = Place & { model: string; event: EventKind };

/** Which chats subscribed to what. "all" stands for every model or every event. */
export class Subscriptions {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  add({ chat, topic, model, event }: Subscription): void {
    this.db.run(
      "INSERT OR REPLACE INTO subscriptions (chat, topic, model, event) VALUES (?, ?, ?, ?)",
      chat,
      topic,
      model,
      event,
    );
  }

  remove(chat: number, model: string): number {
    return this.db.run("DELETE FROM subscriptions WHERE chat = ? AND (model = ? OR ? = 'all')", chat, model, model);
  }

  of(chat: number): Subscription[] {
    return this.db
      .all("SELECT * FROM subscriptions WHERE chat = ? ORDER BY model, event", chat)
      .map(({ chat, topic, model, event }) => ({
        chat: Number(chat),
        topic: topic as number | null,
        model: String(model),
        event: event as EventKind,
      }));
  }

  /**
   * The places that should now get a message about an event, one per chat. `models` is null if the models are not
   * known. Approvals are never muted, because somebody has to decide.
   *
   * @param muteable false for other messages that no mute may hide
   */
  listeners(models: readonly string[] | null, event: EventKind, now: number, muteable = true): Place[] {
    const wanted = this.db
      .all("SELECT * FROM subscriptions WHERE event = ? OR event = 'all' ORDER BY chat", event)
      .filter((row) => row["model"] === "all" || models === null || models.includes(String(row["model"])));
    const places = new Map<number, Place>();
    for (const row of wanted) {
      const chat = Number(row["chat"]);
      const muted = (model: string) => this.mutedUntil(chat, model) > now || this.mutedUntil(chat, "all") > now;
      const isMuted = models === null ? muted("all") : models.every(muted);
      if (muteable && event !== "approval" && isMuted) continue;
      places.set(chat, { chat, topic: row["topic"] as number | null });
    }
    return [...places.values()];
  }

  /** Every place with a subscription. */
  places(): Place[] {
    return this.db
      .all("SELECT DISTINCT chat, topic FROM subscriptions ORDER BY chat")
      .map(({ chat, topic }) => ({ chat: Number(chat), topic: topic as number | null }));
  }

  mute(chat: number, model: string, until: number, user: number): void {
    this.db.run(
      "INSERT OR REPLACE INTO mutes (chat, model, until, user) VALUES (?, ?, ?, ?)",
      chat,
      model,
      until,
      user,
    );
  }

  /** The mutes that hold now, of every chat. */
  mutes(now: number): { chat: number; model: string; until: number; user: number | null }[] {
    return this.db
      .all("SELECT * FROM mutes WHERE until > ? ORDER BY chat, model", now)
      .map(({ chat, model, until, user }) => ({
        chat: Number(chat),
        model: String(model),
        until: Number(until),
        user: user as number | null,
      }));
  }

  mutedUntil(chat: number, model: string): number {
    return Number(this.db.get("SELECT until FROM mutes WHERE chat = ? AND model = ?", chat, model)?.["until"] ?? 0);
  }

  setDigest({ chat, topic }: Place, on: boolean): void {
    if (on) this.db.run("INSERT OR REPLACE INTO digests (chat, topic) VALUES (?, ?)", chat, topic);
    else this.db.run("DELETE FROM digests WHERE chat = ?", chat);
  }

  digestPlaces(): Place[] {
    return this.db
      .all("SELECT chat, topic FROM digests ORDER BY chat")
      .map(({ chat, topic }) => ({ chat: Number(chat), topic: topic as number | null }));
  }
}
